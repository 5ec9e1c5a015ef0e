import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { test } from "node:test";
import { endWithOthers, sendWaiting } from "./outbox.ts";

test("answers of one turn are ended at its end, in their order", async () => {
  const ended: string[] = [];
  for (const name of ["one", "two"]) endWithOthers(answer(name, ended), `${name}'s body`);
  await Promise.resolve();
  assert.deepEqual(ended, []);
  await endOfTurn();
  assert.deepEqual(ended, ["one: one's body", "two: two's body"]);
});

test("thirty-two do not wait for more", async () => {
  const ended: string[] = [];
  for (let number = 1; number < 32; number++) endWithOthers(answer(`${number}`, ended));
  assert.equal(ended.length, 0);
  endWithOthers(answer("32", ended));
  assert.equal(ended.length, 32);
  await endOfTurn();
  assert.equal(ended.length, 32);
});

test("what waits can be sent at once, and is sent once", async () => {
  const ended: string[] = [];
  endWithOthers(answer("early", ended));
  sendWaiting();
  assert.equal(ended.length, 1);
  endWithOthers(answer("next", ended));
  await endOfTurn();
  assert.equal(ended.length, 2);
});

test("an answer that cannot be ended is dropped, and keeps no other one", async () => {
  const ended: string[] = [];
  let dropped = 0;
  const broken = {
    end: () => assert.fail("cannot be ended"),
    destroy: () => (dropped += 1),
  } as unknown as ServerResponse;
  endWithOthers(broken);
  endWithOthers(answer("whole", ended));
  await endOfTurn();
  assert.deepEqual([dropped, ended.length], [1, 1]);
});

function answer(name: string, ended: string[]): ServerResponse {
  return { end: (body: unknown) => ended.push(`${name}: ${body}`) } as unknown as ServerResponse;
}

function endOfTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
