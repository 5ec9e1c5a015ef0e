import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Interruptible } from "./interruptible.ts";

describe("waiting that can be interrupted", () => {
  it("gives what was waited for", async () => {
    const waiting = new Interruptible<"stop">();
    assert.equal(await waiting.wait(1), 1);
    assert.equal(await waiting.wait(Promise.resolve(2)), 2);
    await assert.rejects(waiting.wait(Promise.reject(new Error("no"))), /no/);
  });

  it("gives the interruption's value to who waits, and to whoever waits later", async () => {
    const waiting = new Interruptible<"stop">();
    const waited = waiting.wait(new Promise<never>(() => undefined));
    waiting.interrupt("stop");
    assert.equal(await waited, "stop");
    assert.equal(await waiting.wait(1), "stop");
  });

  it("keeps nothing of what is past", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const waiting = new Interruptible<"stop">();
    const wait = async (times: number): Promise<number> => {
      for (let i = 0; i < times; i++) await waiting.wait(Promise.resolve(i));
      collect();
      return process.memoryUsage().heapUsed;
    };
    const before = await wait(10_000);
    const kept = (await wait(100_000)) - before;
    assert.ok(kept < 5_000_000, `${kept} bytes are kept of 100,000 promises`);
    waiting.interrupt("stop");
  });
});
