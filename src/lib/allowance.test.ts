import assert from "node:assert/strict";
import { test } from "node:test";
import { Allowance } from "./allowance.ts";

test("so many are taken in a period, and the first of the next tells how many were not", () => {
  let now = 0;
  const allowance = new Allowance(2, 1000, () => now);
  const takes = (): unknown[] => Array.from({ length: 4 }, () => allowance.take());
  assert.deepEqual(takes(), [0, 0, undefined, undefined]);
  now = 999;
  assert.equal(allowance.take(), undefined);
  now = 1000;
  assert.deepEqual(takes(), [3, 0, undefined, undefined]);
});
