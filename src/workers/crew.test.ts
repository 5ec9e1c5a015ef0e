import assert from "node:assert/strict";
import { openSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { until } from "../../test/faults/until.ts";
import type { ScriptedReport } from "../../test/support/scripted-worker.ts";
import { Crew } from "./crew.ts";

const WORKER = fileURLToPath(new URL("../../test/support/scripted-worker.ts", import.meta.url));

interface Place extends AsyncDisposable {
  readonly crew: Crew;
  /** What became of members, in turn. */
  readonly said: string[];
  reports(): Promise<readonly ScriptedReport[]>;
}

/** Two workers that do what `script` says. */
async function startTwo(script: string, beat = 5000): Promise<Place> {
  const said: string[] = [];
  const socket = openSync("/dev/null", "r");
  const crew = new Crew({
    ...{ size: 2, program: WORKER, command: [], socket, beat },
    begin: { first: fileOf("old"), path: script, flags: { defaultConfig: false }, instance: "", secret: "" },
    onDeath: ({ number }) => said.push(`${number} died`),
    onFailure: (number) => said.push(`${number} fails`),
    onReturn: ({ number }) => said.push(`${number} serves`),
    onLeave: () => undefined,
  });
  await crew.start();
  return {
    ...{ crew, said },
    reports: async () => [...(await crew.reports()).values()] as unknown as readonly ScriptedReport[],
    [Symbol.asyncDispose]: async () => {
      crew.kill();
      await Promise.all(crew.members.map(({ ended }) => ended));
    },
  };
}

function fileOf(text: string): { readonly name: string; readonly text: string } {
  return { name: "config.yml", text };
}

for (const script of ["dies agreed", "fails agreed"]) {
  test(`a configuration counts once all have agreed, also where one then ${script.replace(" agreed", "")}`, async () => {
    await using place = await startTwo(script);
    assert.equal(await place.crew.reload(fileOf("new")), undefined);
    await until("another one serves", () => place.said.includes("2 serves"));
    assert.deepEqual(
      (await place.reports()).map(({ text }) => text),
      ["new", "new"],
    );
    assert.equal(await place.crew.reload(fileOf("newer")), undefined);
    assert.deepEqual(
      (await place.reports()).map(({ text }) => text),
      ["newer", "newer"],
    );
  });
}

test("everything stays as it is where none goes on with what all agreed to", async () => {
  await using place = await startTwo("all fail");
  assert.equal(await place.crew.reload(fileOf("new")), "it fails");
  assert.deepEqual(
    (await place.reports()).map(({ text }) => text),
    ["old", "old"],
  );
  assert.deepEqual(place.said, []);
});

test("what a worker announced that ends is told again, because it may have ended between two announcements", async () => {
  await using place = await startTwo("dies deleting");
  place.crew.renew();
  await until("another one serves", () => place.said.includes("1 serves"));
  const [second] = await place.reports();
  assert.deepEqual(second?.forgotten, ["d", "d"]);
});

test("one that starts has longer to forget what another deletes than one that serves", async (t) => {
  await using place = await startTwo("hangs starting");
  const { crew } = place;
  await crew.members[1]?.kill();
  await until("another one starts", () => crew.members.length === 2);
  const starting = crew.members[1];
  assert.ok(starting);
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { mock } = t.mock.method(starting.link, "ask");
  crew.renew();
  while (mock.callCount() === 0) await new Promise((resolve) => setImmediate(resolve));
  t.mock.timers.tick(29_999);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(starting.reason, undefined);
  t.mock.timers.tick(1);
  await starting.ended;
  assert.equal(starting.reason, "it did not answer within 30000 ms");
});

test("a place that the system has no process for is tried again, and the others serve on", async (t) => {
  await using place = await startTwo("");
  const { execPath } = process;
  const restore = (): void => {
    process.execPath = execPath;
  };
  process.execPath = "/dev/null/node"; // ENOTDIR is thrown, as ENOMEM would be
  t.after(restore);
  await place.crew.members[0]?.kill();
  await until("it was tried twice", () => place.said.filter((one) => one === "1 fails").length === 2);
  assert.equal((await place.reports()).length, 1);
  restore();
  await until("another one serves", () => place.said.includes("1 serves"));
});

test("a worker that is there and answers nothing is ended, and another one takes its place", async () => {
  await using place = await startTwo("hangs", 50);
  await until("another one serves", () => place.said.includes("2 serves"));
  assert.deepEqual(place.said, ["2 died", "2 serves"]);
});
