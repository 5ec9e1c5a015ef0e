import assert from "node:assert/strict";
import { test } from "node:test";
import { SharedParts } from "./shared-parts.ts";

test("a part is taken again while it is made of the same, and ends with its last owner", async () => {
  const { parts, take, ended } = open();
  const first = await take("a", { x: 1 });
  const second = await take("a", { x: 1 });
  assert.equal(first.value, second.value);
  assert.equal(first.mark, second.mark);
  await first[Symbol.asyncDispose]();
  await first[Symbol.asyncDispose]();
  assert.deepEqual(ended, []);
  await second[Symbol.asyncDispose]();
  assert.deepEqual(ended, [1]);
  assert.notEqual((await take("a", { x: 1 })).value, first.value);
  assert.ok(parts);
});

test("a part is another one where its kind, or what it is made of, differs", async () => {
  const { take } = open();
  const marks = [await take("a", { x: 1 }), await take("a", { x: 2 }), await take("b", { x: 1 })].map(
    ({ mark }) => mark,
  );
  assert.equal(new Set(marks).size, 3);
});

test("a part is taken only where somebody has it, and held with the others", async () => {
  const { parts, take, ended } = open();
  assert.equal(parts.takeRunning("a", 1), undefined);
  const first = await take("a", 1);
  const second = parts.takeRunning("a", 1);
  assert.equal(second?.value, first.value);
  await first[Symbol.asyncDispose]();
  assert.deepEqual(ended, []);
  await second?.[Symbol.asyncDispose]();
  assert.deepEqual(ended, [1]);
  assert.equal(parts.takeRunning("a", 1), undefined);
});

test("what was opened for a part that fails is ended at once, and the next one tries anew", async () => {
  const parts = new SharedParts();
  let ended = 0;
  const broken = parts.take("a", 1, async (stack) => {
    stack.defer(() => {
      ended += 1;
    });
    throw new Error("broken");
  });
  await assert.rejects(broken, /broken/);
  assert.equal(ended, 1);
  assert.equal((await parts.take("a", 1, async () => "well")).value, "well");
});

function open() {
  const parts = new SharedParts();
  const ended: number[] = [];
  let count = 0;
  const take = (kind: string, madeOf: unknown) =>
    parts.take(kind, madeOf, async (stack) => {
      count += 1;
      const number = count;
      stack.defer(() => void ended.push(number));
      return number;
    });
  return { parts, take, ended };
}
