import assert from "node:assert/strict";
import { test } from "node:test";
import { TokenBuckets } from "./token-buckets.ts";

test("a bucket gives its burst at once, and then as much as comes in", () => {
  let now = 0;
  const buckets = new TokenBuckets({ rate: 2, burst: 3, most: 10, now: () => now });
  assert.deepEqual(
    [1, 2, 3].map(() => buckets.take("a")),
    [0, 0, 0],
  );
  assert.equal(buckets.take("a"), 500);
  now += 400;
  assert.ok(Math.abs(buckets.take("a") - 100) <= 1);
  now += 101;
  assert.equal(buckets.take("a"), 0);
  assert.ok(buckets.take("a") > 400);
  assert.equal(buckets.take("b"), 0);
});

test("a bucket never holds more than its burst", () => {
  let now = 0;
  const buckets = new TokenBuckets({ rate: 100, burst: 2, most: 10, now: () => now });
  buckets.take("a");
  now += 3_600_000;
  assert.deepEqual(
    [1, 2, 3].map(() => buckets.take("a") > 0),
    [false, false, true],
  );
});

test("the buckets used longest ago are forgotten, and a million keys cost no more than a few", () => {
  const buckets = new TokenBuckets({ rate: 1, burst: 1, most: 3, now: () => 0 });
  for (const key of ["a", "b", "c"]) assert.equal(buckets.take(key), 0);
  assert.ok(buckets.take("a") > 0);
  assert.equal(buckets.take("d"), 0); // b goes
  assert.ok(buckets.take("a") > 0);
  assert.ok(buckets.take("c") > 0);
  assert.equal(buckets.take("b"), 0);
  for (let key = 0; key < 1_000_000; key += 1) buckets.take(String(key));
  assert.ok(buckets.take("999999") > 0);
});
