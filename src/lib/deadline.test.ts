import assert from "node:assert/strict";
import { test } from "node:test";
import { within } from "./deadline.ts";

test("work within its deadline gives its result, or its failure", async () => {
  assert.equal(await within(60_000, Promise.resolve(5)), 5);
  await assert.rejects(within(60_000, Promise.reject(new Error("broken"))), /broken/);
});

test("work that never ends fails at its deadline, and a failure after that harms nobody", async () => {
  const work = Promise.withResolvers<never>();
  await assert.rejects(within(1, work.promise), /no answer within 1 ms/);
  work.reject(new Error("too late"));
  await new Promise(setImmediate);
});
