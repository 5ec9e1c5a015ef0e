import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Circuit } from "./circuit.ts";

const PAUSE = 100;

class Bench {
  now = 0;
  calls = 0;
  readonly told: string[] = [];
  readonly circuit: Circuit = new Circuit({
    pause: PAUSE,
    onDown: (error, first) => this.told.push(`${first ? "down" : "still down"}: ${(error as Error).message}`),
    onBack: (spared) => this.told.push(`back, ${spared} spared`),
    now: () => this.now,
  });

  async call(outcome: "works" | "fails"): Promise<string> {
    const { calls } = this;
    try {
      return await this.circuit.run(async () => {
        this.calls += 1;
        if (outcome === "fails") throw new Error("lost");
        return "done";
      });
    } catch {
      return calls === this.calls ? "not made" : "failed";
    }
  }

  async callAll(...outcomes: readonly ("works" | "fails")[]): Promise<readonly string[]> {
    const results: string[] = [];
    for (const outcome of outcomes) results.push(await this.call(outcome));
    return results;
  }
}

describe("a circuit", () => {
  it("makes calls as long as not three in a row fail", async () => {
    const bench = new Bench();
    const results = await bench.callAll("fails", "fails", "works", "fails", "fails", "works");
    assert.deepEqual(results, ["failed", "failed", "done", "failed", "failed", "done"]);
    assert.deepEqual(bench.told, []);
  });

  it("makes none from the third failure on until the pause is over, and tells of it once", async () => {
    const bench = new Bench();
    await bench.callAll("fails", "fails", "fails");
    assert.deepEqual(await bench.callAll("works", "works"), ["not made", "not made"]);
    bench.now = PAUSE - 1;
    assert.equal(await bench.call("works"), "not made");
    bench.now = PAUSE;
    assert.deepEqual(await bench.callAll("works", "works"), ["done", "done"]);
    assert.deepEqual(bench.told, ["down: lost", "back, 3 spared"]);
  });

  it("tries with one call at a time, and waits again where that fails", async () => {
    const bench = new Bench();
    await bench.callAll("fails", "fails", "fails");
    bench.now = PAUSE;
    const trial = Promise.withResolvers<string>();
    const trying = bench.circuit.run(() => trial.promise);
    assert.equal(await bench.call("works"), "not made");
    trial.reject(new Error("gone"));
    await assert.rejects(trying, /gone/);
    assert.equal(await bench.call("works"), "not made");
    bench.now = 2 * PAUSE;
    assert.equal(await bench.call("works"), "done");
    assert.deepEqual(bench.told, ["down: lost", "still down: gone", "back, 2 spared"]);
  });

  it("is not closed by a call that began before the failures", async () => {
    const bench = new Bench();
    const early = Promise.withResolvers<string>();
    const running = bench.circuit.run(() => early.promise);
    await bench.callAll("fails", "fails", "fails");
    early.resolve("done");
    assert.equal(await running, "done");
    assert.equal(await bench.call("works"), "not made");
  });

  it("can be opened from outside", async () => {
    const bench = new Bench();
    bench.circuit.open(new Error("never there"));
    assert.equal(await bench.call("works"), "not made");
    assert.deepEqual(bench.told, ["down: never there"]);
  });
});
