import assert from "node:assert/strict";
import { test } from "node:test";
import { FairQueue } from "./fair-queue.ts";

/** @returns what was turned away, in order */
function pushAll(queue: FairQueue<string>, ...items: readonly string[]): (string | undefined)[] {
  return items.map((item) => queue.push(item.slice(0, 1), item));
}

function drain(queue: FairQueue<string>): string[] {
  const all: string[] = [];
  for (let item = queue.shift(); item !== undefined; item = queue.shift()) all.push(item);
  return all;
}

test("lanes take turns, and keep the order of their own", () => {
  const queue = new FairQueue<string>(10);
  pushAll(queue, "a1", "a2", "a3", "b1", "b2", "c1");
  assert.deepEqual(drain(queue), ["a1", "b1", "c1", "a2", "b2", "a3"]);
  assert.equal(queue.shift(), undefined);
});

test("who comes while others have their turns waits for one of each", () => {
  const queue = new FairQueue<string>(10);
  pushAll(queue, "a1", "a2", "a3", "b1", "b2", "b3");
  assert.equal(queue.shift(), "a1");
  pushAll(queue, "c1");
  assert.deepEqual(drain(queue), ["b1", "a2", "c1", "b2", "a3", "b3"]);
});

test("one lane may have every place, and gives up its last ones to others", () => {
  const queue = new FairQueue<string>(3);
  assert.deepEqual(pushAll(queue, "a1", "a2", "a3", "a4"), [undefined, undefined, undefined, "a4"]);
  assert.deepEqual(pushAll(queue, "b1", "b2", "c1"), ["a3", "b2", "a2"]);
  assert.deepEqual(drain(queue), ["a1", "b1", "c1"]);
});

test("nobody gives a place up to who has as many, or would then have", () => {
  const queue = new FairQueue<string>(4);
  pushAll(queue, "a1", "a2", "b1", "b2");
  assert.deepEqual(pushAll(queue, "a3", "b3", "c1"), ["a3", "b3", "a2"]);
  assert.deepEqual(pushAll(queue, "c2", "d1", "e1"), ["c2", "b2", "e1"]);
  assert.deepEqual(drain(queue), ["a1", "b1", "c1", "d1"]);
});

test("a place that was taken is free again", () => {
  const queue = new FairQueue<string>(1);
  for (let i = 0; i < 3; i += 1) {
    assert.deepEqual(pushAll(queue, "a1", "a2"), [undefined, "a2"]);
    assert.equal(queue.shift(), "a1");
  }
});
