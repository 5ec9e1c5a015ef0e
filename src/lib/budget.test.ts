import assert from "node:assert/strict";
import { test } from "node:test";
import { Budget } from "./budget.ts";

test("who asks for more than is left waits for those before, in the order of asking", async () => {
  const budget = new Budget(10);
  const order: string[] = [];
  const big = await budget.take(8);
  const waiting = ["first", "second", "third"].map(async (name, index) => {
    const share = await budget.take([6, 4, 1][index] ?? 0);
    order.push(name);
    return share;
  });
  await Promise.resolve();
  assert.deepEqual(order, []);
  big[Symbol.dispose]();
  const [first, second] = await Promise.all(waiting.slice(0, 2));
  assert.deepEqual(order, ["first", "second"]);
  first?.[Symbol.dispose]();
  first?.[Symbol.dispose](); // giving back twice gives back once
  await waiting[2];
  assert.deepEqual(order, ["first", "second", "third"]);
  second?.[Symbol.dispose]();
});

test("who stops waiting leaves its place to those behind, and takes nothing", async () => {
  const budget = new Budget(10);
  const most = await budget.take(8);
  const stop = new AbortController();
  const big = budget.take(6, { signal: stop.signal });
  const small = budget.take(2);
  stop.abort(new Error("stopped"));
  await assert.rejects(big, /^Error: stopped$/);
  (await small)[Symbol.dispose]();
  most[Symbol.dispose]();
  (await budget.take(10))[Symbol.dispose]();
  await assert.rejects(budget.take(1, { signal: stop.signal }), /^Error: stopped$/);
  await budget.take(10);
});

test("no more wait than may, and who has waited makes room", async () => {
  const budget = new Budget(1, { limit: 1, toError: () => new Error("too many") });
  const first = await budget.take(1);
  const second = budget.take(1);
  await assert.rejects(budget.take(1), /too many/);
  first[Symbol.dispose]();
  const third = budget.take(1);
  (await second)[Symbol.dispose]();
  (await third)[Symbol.dispose]();
});
