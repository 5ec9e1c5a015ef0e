import assert from "node:assert/strict";
import { test } from "node:test";
import { RangeInvalid } from "../oci/errors.ts";
import { UploadMemory } from "./upload-memory.ts";

test("who comes to a session stops the one that runs there, and waits for its end", async () => {
  const memory = new UploadMemory();
  const steps: string[] = [];
  const first = memory.takeTurn("a", async (signal) => {
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    await Promise.resolve();
    steps.push("first ends");
    return signal.reason as Error;
  });
  const second = memory.takeTurn("a", async (signal) => {
    steps.push("second begins");
    assert.equal(signal.aborted, false);
    return 2;
  });
  assert.ok((await first) instanceof RangeInvalid);
  assert.equal(await second, 2);
  assert.deepEqual(steps, ["first ends", "second begins"]);
});

test("other sessions, and later requests to the same, do not wait", async () => {
  const memory = new UploadMemory();
  const gate = Promise.withResolvers<void>();
  const running = memory.takeTurn("a", () => gate.promise);
  assert.equal(await memory.takeTurn("b", async () => "not after the other"), "not after the other");
  gate.resolve();
  await running;
  assert.equal(await memory.takeTurn("a", async ({ aborted }) => aborted), false);
});

test("a failure ends a turn as a success does", async () => {
  const memory = new UploadMemory();
  await assert.rejects(
    memory.takeTurn("a", () => Promise.reject(new Error("broken"))),
    /broken/,
  );
  assert.equal(await memory.takeTurn("a", async () => "done"), "done");
});

test("of many that come at once only one runs at a time, and every one of them runs", async () => {
  const memory = new UploadMemory();
  let running = 0;
  let ran = 0;
  const work = async (): Promise<void> => {
    running += 1;
    ran += 1;
    assert.equal(running, 1);
    await Promise.resolve();
    running -= 1;
  };
  await Promise.all(Array.from({ length: 20 }, () => memory.takeTurn("a", work)));
  assert.equal(ran, 20);
});
