import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { failingDriver } from "../../test/support/failing-driver.ts";
import { PathMapper } from "../registry/paths.ts";
import { StorageError } from "../storage/errors.ts";
import { MemoryDriver } from "../storage/memory.ts";
import { type PurgeScheduleOptions, schedulePurge } from "./purge-schedule.ts";

const HOUR = 3_600_000;
const SESSION = "/docker/registry/v2/repositories/a/_uploads/6ba7b810-9dad-41d1-80b4-00c04fd430c8";

test("the first purge comes within the hour, and then one every interval, told in the peers' words", async (t) => {
  const said = begin(t);
  const driver = new MemoryDriver();
  await driver.putContent(`${SESSION}/startedat`, Buffer.from("2026-11-19T00:00:00Z"));
  await using _ = schedulePurge(
    { driver, paths: new PathMapper() },
    { age: 24 * HOUR, interval: 2 * HOUR, dryRun: false, ...loudly(said.report) },
  );
  assert.deepEqual(said.take(), ["Starting upload purge in 30 minutes"]);
  t.mock.timers.tick(HOUR / 2 - 1);
  await settle();
  assert.deepEqual(said.take(), []);
  t.mock.timers.tick(1);
  await settle();
  assert.deepEqual(said.take(), [
    "PurgeUploads starting: olderThan=2026-11-20T00:30:00.000Z, actuallyDelete=true",
    "Purge uploads finished.  Num deleted=1, num errors=0",
  ]);
  t.mock.timers.tick(2 * HOUR);
  await settle();
  assert.deepEqual(said.take(), [
    "PurgeUploads starting: olderThan=2026-11-20T02:30:00.000Z, actuallyDelete=true",
    "Purge uploads finished.  Num deleted=0, num errors=0",
  ]);
});

test("a purge that fails is told, and the next one comes", async (t) => {
  const said = begin(t);
  const { driver, fail, mend } = failingDriver(new MemoryDriver());
  await using _ = schedulePurge(
    { driver, paths: new PathMapper() },
    { age: HOUR, interval: HOUR, dryRun: true, ...quietly(said.report) },
  );
  fail("list", () => new StorageError("inmemory", "broken"));
  t.mock.timers.tick(HOUR / 2);
  await settle();
  assert.match(said.take().at(-1) ?? "", /^Purge uploads failed: StorageError: inmemory: broken$/);
  mend();
  t.mock.timers.tick(HOUR);
  await settle();
  assert.deepEqual(said.take(), []);
});

test("an interval longer than a timer can wait is waited for in full", async (t) => {
  const said = begin(t);
  const month = 31 * 24 * HOUR;
  await using _ = schedulePurge(
    { driver: new MemoryDriver(), paths: new PathMapper() },
    {
      age: HOUR,
      interval: month,
      dryRun: true,
      ...loudly(said.report),
    },
  );
  t.mock.timers.tick(HOUR / 2);
  await settle();
  said.take();
  for (const [step, lines] of [
    [2 ** 31 - 1, 0],
    [month - 2 ** 31, 0],
    [1, 2],
  ] as const) {
    t.mock.timers.tick(step);
    await settle();
    assert.equal(said.take().length, lines, String(step));
  }
});

test("between two purges is a minute at least, whatever the interval", async (t) => {
  const said = begin(t);
  let starts = 0;
  const report = (line: string): void => {
    if (line.startsWith("PurgeUploads starting") && ++starts > 3) throw new Error("it does not pause");
    said.report(line);
  };
  await using _ = schedulePurge(
    { driver: new MemoryDriver(), paths: new PathMapper() },
    { age: HOUR, interval: 0, dryRun: false, ...loudly(report) },
  );
  for (const [step, lines] of [
    [HOUR / 2, 3],
    [59_999, 0],
    [1, 2],
  ] as const) {
    t.mock.timers.tick(step);
    await settle();
    assert.equal(said.take().length, lines, String(step));
  }
});

test("disposal ends the wait at once", async (t) => {
  const said = begin(t);
  const schedule = schedulePurge(
    { driver: new MemoryDriver(), paths: new PathMapper() },
    {
      age: HOUR,
      interval: HOUR,
      dryRun: true,
      ...loudly(said.report),
    },
  );
  await schedule[Symbol.asyncDispose]();
  said.take();
  t.mock.timers.tick(10 * HOUR);
  await settle();
  assert.deepEqual(said.take(), []);
});

/** Nothing may go wrong. */
function loudly(report: (line: string) => void): Pick<PurgeScheduleOptions, "report" | "complain"> {
  return { report, complain: (line) => assert.fail(line) };
}

/** What goes wrong is collected, and nothing else. */
function quietly(complain: (line: string) => void): Pick<PurgeScheduleOptions, "report" | "complain"> {
  return { report: () => undefined, complain };
}

/** Sets the clock, and chance to the middle. */
function begin(t: TestContext): { report(line: string): void; take(): readonly string[] } {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: Date.UTC(2026, 10, 21) });
  t.mock.method(Math, "random", () => 0.5);
  let lines: string[] = [];
  return {
    report: (line) => lines.push(line),
    take: () => {
      const taken = lines;
      lines = [];
      return taken;
    },
  };
}

/** Everything in memory comes about before the event loop turns. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
