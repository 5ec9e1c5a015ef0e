import assert from "node:assert/strict";
import { test } from "node:test";
import { decorate } from "./decorate.ts";

class Counter {
  readonly unit = "times";
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(): number {
    this.#count += 1;
    return this.#count;
  }

  twice(): number {
    this.add();
    return this.add();
  }
}

test("a part with other members has them, and all the rest of what it decorates", () => {
  const counter = new Counter();
  const decorated = decorate<Counter, { reset?: string }>(counter, { add: () => 100, reset: "never" });
  assert.equal(decorated.add(), 100);
  assert.equal(counter.count, 0);
  assert.equal(decorated.twice(), 2);
  const { twice, unit } = decorated;
  assert.deepEqual([twice(), decorated.count, unit, decorated.reset], [4, 4, "times", "never"]);
  assert.ok(decorated instanceof Counter);
});

test("abilities are looked for in both", () => {
  const decorated = decorate<Counter, { reset?: string }>(new Counter(), { reset: "never" });
  assert.deepEqual(
    ["add", "unit", "reset", "other"].map((name) => name in decorated),
    [true, true, true, false],
  );
});

test("a decorated part can be spread, decorated again, and be frozen below", () => {
  const frozen: Readonly<Record<"a" | "b" | "c", number>> = Object.freeze({ a: 1, b: 2, c: 3 });
  const decorated = decorate(decorate(frozen, { a: 10 }), { b: 20 });
  assert.deepEqual({ ...decorated }, { a: 10, b: 20, c: 3 });
  assert.deepEqual(Object.keys(decorated), ["a", "b", "c"]);
});

test("what is decorated cannot be written to, where that would be lost", () => {
  const decorated: { a: number } = decorate({ a: 1 }, {});
  assert.throws(() => {
    decorated.a = 2;
  }, TypeError);
  assert.throws(() => Object.defineProperty(decorated, "a", { value: 2 }), TypeError);
  assert.equal(decorated.a, 1);
});
