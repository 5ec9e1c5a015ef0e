import assert from "node:assert/strict";
import { test } from "node:test";
import { Limits } from "../http/limits.ts";
import { TooManyRequests } from "../oci/errors.ts";
import { SharedTally } from "./shared-tally.ts";

/** Workers whose news reach the others at once. */
function workersOf(count: number): readonly SharedTally[] {
  const tallies: SharedTally[] = [];
  const uploads = Array.from({ length: count }, () => 0);
  for (let index = 0; index < count; index += 1) {
    tallies.push(
      new SharedTally((tally) => {
        uploads[index] = tally.uploads;
        for (const [other, one] of tallies.entries()) {
          const others = uploads.reduce((sum, more, at) => (at === other ? sum : sum + more), 0);
          if (other !== index) one.hear({ connections: 0, uploads: others, taken: tally.taken });
        }
      }),
    );
  }
  return tallies;
}

const NONE = { rate: 0, burst: 0 };

test("uploads of all workers are counted together", () => {
  const [one, other] = workersOf(2).map(
    (tally) => new Limits({ uploads: 2, address: NONE, user: NONE }, undefined, tally),
  );
  assert.ok(one && other);
  const first = one.beginUpload();
  using _second = other.beginUpload();
  assert.throws(() => one.beginUpload(), TooManyRequests);
  assert.throws(() => other.beginUpload(), TooManyRequests);
  first[Symbol.dispose]();
  using _third = other.beginUpload();
});

test("requests that another worker let through are taken off, also more than there were", () => {
  let now = 0;
  const tallies = workersOf(2);
  const [one, other] = tallies.map(
    (tally) => new Limits({ uploads: 0, address: NONE, user: { rate: 1, burst: 3 } }, () => now, tally),
  );
  assert.ok(one && other);
  for (const limits of [one, one, one, other, other]) limits.countUser("alice"); // before anybody is told
  for (const tally of tallies) tally.tellUploads(0); // which tells everything
  assert.throws(() => one.countUser("alice"), TooManyRequests);
  now = 2500;
  assert.throws(() => one.countUser("alice"), TooManyRequests, "two that were too many are still owed");
  now = 3000;
  one.countUser("alice");
});
