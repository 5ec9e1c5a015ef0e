import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { PartBuffers } from "./part-buffers.ts";

const NOBODY = { hurry: () => assert.fail("nobody is to hurry") };

test("there are no more buffers than the budget has room for, and who comes later waits his turn", async () => {
  const buffers = new PartBuffers({ budget: 39, length: 10, tenure: 1000 });
  const taken = await Promise.all([1, 2, 3].map(() => buffers.take(NOBODY)));
  assert.equal(buffers.tryTake(NOBODY), undefined);
  const order: number[] = [];
  const later = [4, 5].map((number) => buffers.take(NOBODY).then((buffer) => order.push(number) && buffer));
  for (const buffer of taken.slice(0, 2)) buffers.give(buffer);
  assert.equal(buffers.tryTake(NOBODY), undefined);
  assert.deepEqual(await Promise.all(later), taken.slice(0, 2));
  assert.deepEqual(order, [4, 5]);
});

test("buffers that nobody uses are made again when they are wanted", async () => {
  const buffers = new PartBuffers({ budget: 50, length: 10, tenure: 1000 });
  for (let round = 0; round < 3; round++) {
    const taken = await Promise.all([1, 2, 3, 4, 5].map(() => buffers.take(NOBODY)));
    assert.equal(buffers.tryTake(NOBODY), undefined);
    for (const buffer of taken) buffers.give(buffer);
  }
});

test("there are two buffers however small the budget", async () => {
  const buffers = new PartBuffers({ budget: 0, length: 10, tenure: 1000 });
  assert.equal((await buffers.take(NOBODY)).length, 10);
  assert.equal((await buffers.take(NOBODY)).length, 10);
  assert.equal(buffers.tryTake(NOBODY), undefined);
});

test("who gathers for too long while others wait is told to hurry, but not who sends already", async (t: TestContext) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let now = 0;
  t.mock.method(performance, "now", () => now);
  const buffers = new PartBuffers({ budget: 20, length: 10, tenure: 1000 });
  const pass = (ms: number): void => {
    now += ms;
    t.mock.timers.tick(ms);
  };
  let hurried = 0;
  const slow = await buffers.take({ hurry: () => (hurried += 1) });
  buffers.seal(await buffers.take(NOBODY));
  pass(10_000);
  assert.equal(hurried, 0);
  const waiting = buffers.take(NOBODY);
  pass(999);
  assert.equal(hurried, 0);
  pass(1);
  assert.equal(hurried, 1);
  buffers.give(slow);
  assert.equal(await waiting, slow);
  pass(10_000);
  assert.equal(hurried, 1);
});
