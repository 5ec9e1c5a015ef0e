import assert from "node:assert/strict";
import { test } from "node:test";
import { Accord } from "./accord.ts";
import { Restarts } from "./restarts.ts";

test("another worker follows at once, and ever later where one after the other dies young", () => {
  const restarts = new Restarts({ healthy: 1000, least: 100, most: 700 });
  const waits = [5000, 10, 10, 10, 10, 10, 10, 1000, 10, 10].map((lived) => restarts.next(lived));
  assert.deepEqual(waits, [0, 0, 100, 200, 400, 700, 700, 0, 0, 100]);
});

test("all agree once the last one has", async () => {
  const accord = new Accord(2);
  let isMade = false;
  const first = accord.vote(true).then(() => {
    isMade = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isMade, false);
  await Promise.all([first, accord.vote(true)]);
});

test("nobody goes on where one cannot, also those that come later", async () => {
  const accord = new Accord(3);
  const first = assert.rejects(accord.vote(true), /another worker cannot use it/);
  await assert.rejects(accord.vote(false));
  await first;
  await assert.rejects(accord.vote(true));
});
