import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { LookAhead } from "./look-ahead.ts";

test("so many look at once and no more, and everybody gets what they looked for", async () => {
  const lookAhead = new LookAhead();
  let open = 0;
  let most = 0;
  const look = async (item: number): Promise<number> => {
    open += 1;
    most = Math.max(most, open);
    await setImmediate();
    open -= 1;
    return 2 * item;
  };
  const items = Array.from({ length: 64 }, (_, item) => item);
  const all = await Promise.all(Array.from({ length: 50 }, () => lookAhead.at(items, look)));
  assert.equal(most, 512);
  for (const one of all)
    assert.deepEqual(
      one,
      items.map((item) => 2 * item),
    );
});

test("who fails leaves its room to others", async () => {
  const lookAhead = new LookAhead();
  const items = Array.from({ length: 64 }, (_, item) => item);
  const failing = Array.from({ length: 20 }, () => lookAhead.at(items, () => Promise.reject(new Error("broken"))));
  for (const one of await Promise.allSettled(failing)) assert.equal(one.status, "rejected");
  assert.deepEqual(await lookAhead.at([1], async (item) => item), [1]);
});
