import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { Liveness } from "./liveness.ts";

const [PATIENCE, PAUSE] = [100, 1000];

class Bench implements Disposable {
  readonly told: string[] = [];
  readonly probes: PromiseWithResolvers<void>[] = [];
  readonly liveness: Liveness;
  now = 0;
  readonly #timers: TestContext["mock"]["timers"];

  constructor(t: TestContext) {
    this.#timers = t.mock.timers;
    this.#timers.enable({ apis: ["setTimeout"] });
    this.liveness = new Liveness({
      probe: () => {
        const probe = Promise.withResolvers<void>();
        this.probes.push(probe);
        return probe.promise;
      },
      patience: PATIENCE,
      pause: PAUSE,
      onDown: (error) => this.told.push(`down: ${(error as Error).message}`),
      onBack: (time) => this.told.push(`back after ${time}`),
      now: () => this.now,
    });
  }

  async answer(how: "alive" | "dead"): Promise<void> {
    const probe = this.probes.at(-1);
    if (how === "alive") probe?.resolve();
    else probe?.reject(new Error("refused"));
    await setImmediate();
  }

  async pass(ms: number): Promise<void> {
    this.now += ms;
    this.#timers.tick(ms);
    await setImmediate();
  }

  [Symbol.dispose](): void {
    this.liveness[Symbol.dispose]();
  }
}

test("a doubt is settled by one probe, and what answers it was never down", async (t) => {
  using bench = new Bench(t);
  for (let i = 0; i < 3; i++) bench.liveness.doubt();
  assert.equal(bench.probes.length, 1);
  await bench.answer("alive");
  assert.equal(bench.liveness.isDown, false);
  bench.liveness.doubt();
  assert.equal(bench.probes.length, 2);
  assert.deepEqual(bench.told, []);
});

test("what fails the probe is down, and probed by itself until it answers, told of once each way", async (t) => {
  using bench = new Bench(t);
  bench.liveness.doubt();
  await bench.answer("dead");
  assert.equal(bench.liveness.isDown, true);
  await bench.pass(PAUSE - 1);
  bench.liveness.doubt();
  assert.equal(bench.probes.length, 1);
  await bench.pass(1);
  assert.equal(bench.probes.length, 2);
  await bench.answer("dead");
  await bench.pass(PAUSE);
  await bench.answer("alive");
  assert.equal(bench.liveness.isDown, false);
  await bench.pass(10 * PAUSE);
  assert.equal(bench.probes.length, 3);
  assert.deepEqual(bench.told, ["down: refused", "back after 2000"]);
});

test("what does not answer the probe in time is down until it does, without a second probe beside the first", async (t) => {
  using bench = new Bench(t);
  bench.liveness.doubt();
  await bench.pass(PATIENCE - 1);
  assert.equal(bench.liveness.isDown, false);
  await bench.pass(1);
  assert.equal(bench.liveness.isDown, true);
  await bench.pass(100 * PAUSE);
  assert.equal(bench.probes.length, 1);
  await bench.answer("alive");
  assert.equal(bench.liveness.isDown, false);
  assert.deepEqual(bench.told, ["down: no answer within 100 ms", "back after 100000"]);
});

test("after its end nothing is probed and nothing told", async (t) => {
  using bench = new Bench(t);
  bench.liveness.doubt();
  bench.liveness[Symbol.dispose]();
  await bench.answer("dead");
  await bench.pass(PAUSE);
  bench.liveness.doubt();
  assert.equal(bench.probes.length, 1);
  assert.deepEqual(bench.told, []);
});
