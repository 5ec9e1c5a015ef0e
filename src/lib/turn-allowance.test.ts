import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { TurnAllowance } from "./turn-allowance.ts";

test("what is used up in one turn of the event loop is there again in the next", async () => {
  const allowance = new TurnAllowance(2);
  const takeThree = (): readonly boolean[] => [allowance.take(), allowance.take(), allowance.take()];
  assert.deepEqual(takeThree(), [true, true, false]);
  await Promise.resolve();
  assert.equal(allowance.take(), false);
  await setImmediate();
  assert.deepEqual(takeThree(), [true, true, false]);
});

test("who waits where nothing is left goes on in the next turn, and nobody waits where something is", async () => {
  const allowance = new TurnAllowance(1);
  assert.equal(allowance.wait(), undefined);
  allowance.take();
  const waiting = allowance.wait();
  assert.ok(waiting);
  await waiting;
  assert.equal(allowance.wait(), undefined);
  assert.equal(allowance.take(), true);
});
