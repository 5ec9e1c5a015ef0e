import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Check } from "./check.ts";
import { type CheckSchedule, Health } from "./health.ts";

test("everything is healthy until a check was made, after an interval", async (t) => {
  const { health, tick } = begin(t, () => Promise.reject(new Error("broken")), { interval: 1000, threshold: 0 });
  await tick(999);
  assert.equal(health.isHealthy(), true);
  await tick(1);
  assert.equal(health.isHealthy(), false);
  assert.deepEqual(health.failures(), { probe: "broken" });
});

test("an interval of 0 is ten seconds", async (t) => {
  const { health, tick } = begin(t, () => Promise.reject(new Error("broken")), { interval: 0, threshold: 0 });
  await tick(9999);
  assert.equal(health.isHealthy(), true);
  await tick(1);
  assert.equal(health.isHealthy(), false);
});

for (const [threshold, failures] of [
  [-1, 1],
  [0, 1],
  [1, 1],
  [3, 3],
] as const) {
  test(`with a threshold of ${threshold} it takes ${failures} failures in a row, and one success to be healthy again`, async (t) => {
    let broken = true;
    const look = async (): Promise<void> => {
      if (broken) throw new Error("broken");
    };
    const { health, tick, told } = begin(t, look, { interval: 1000, threshold });
    for (let failure = 1; failure < failures; failure++) await tick(1000);
    assert.equal(health.isHealthy(), true);
    if (failures > 1) {
      broken = false;
      await tick(1000);
      broken = true;
      for (let failure = 1; failure < failures; failure++) await tick(1000);
      assert.equal(health.isHealthy(), true, "a success begins the count anew");
    }
    await tick(1000);
    assert.equal(health.isHealthy(), false);
    await tick(1000);
    broken = false;
    await tick(1000);
    assert.equal(health.isHealthy(), true);
    assert.deepEqual(told, ["broken", undefined]);
  });
}

test("a check that takes longer than its timeout has failed, and is told that nobody waits", async (t) => {
  const signals: AbortSignal[] = [];
  const look = (signal: AbortSignal): Promise<void> => {
    signals.push(signal);
    return new Promise(() => undefined);
  };
  const { health, tick } = begin(t, look, { interval: 1000, threshold: 0, timeout: 300 });
  await tick(1299);
  assert.equal(health.isHealthy(), true);
  assert.equal(signals[0]?.aborted, false);
  await tick(1);
  assert.deepEqual(health.failures(), { probe: "no answer within 300 ms" });
  assert.equal(signals[0]?.aborted, true);
});

test("a check that hangs fails at each interval, is not begun again, and is well once it has ended and succeeds", async (t) => {
  let begun = 0;
  const ends: (() => void)[] = [];
  const look = (): Promise<void> => {
    begun += 1;
    return begun === 1 ? new Promise((resolve) => ends.push(resolve)) : Promise.resolve();
  };
  const { health, tick } = begin(t, look, { interval: 1000, threshold: 3 });
  await tick(2000);
  await tick(1000);
  assert.equal(health.isHealthy(), true);
  await tick(1000);
  assert.deepEqual(health.failures(), { probe: "the check before has not ended yet" });
  assert.equal(begun, 1);
  for (const end of ends) end();
  await settle();
  assert.equal(health.isHealthy(), false, "a late answer is none");
  await tick(1000);
  assert.equal(begun, 2);
  assert.equal(health.isHealthy(), true);
});

test("after disposal nothing is checked any more", async (t) => {
  let begun = 0;
  const { health, tick } = begin(t, async () => void begun++, { interval: 1000, threshold: 0 });
  await tick(1000);
  health[Symbol.dispose]();
  await tick(5000);
  assert.equal(begun, 1);
});

test("one failing check among many is enough, and each is told by its name", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval", "setTimeout"] });
  using health = new Health(() => undefined);
  health.watch({ name: "a", look: async () => undefined }, { interval: 1, threshold: 0 });
  health.watch({ name: "b", look: () => Promise.reject(new Error("broken")) }, { interval: 1, threshold: 0 });
  t.mock.timers.tick(1);
  await settle();
  assert.deepEqual([health.isHealthy(), health.failures(), health.checks()], [false, { b: "broken" }, ["a", "b"]]);
});

/** Timers that begin while the clock is moved begin at the end of that move. ms */
const STEP = 100;

function begin(t: TestContext, look: Check["look"], schedule: CheckSchedule): Begun {
  t.mock.timers.enable({ apis: ["setInterval", "setTimeout"] });
  const told: (string | undefined)[] = [];
  const health = new Health((check, failure) => {
    assert.equal(check, "probe");
    told.push(failure);
  });
  t.after(() => health[Symbol.dispose]());
  health.watch({ name: "probe", look }, schedule);
  const tick = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= STEP) {
      t.mock.timers.tick(Math.min(left, STEP));
      await settle();
    }
  };
  return { health, told, tick };
}

interface Begun {
  readonly health: Health;
  readonly told: readonly (string | undefined)[];
  tick(ms: number): Promise<void>;
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}
