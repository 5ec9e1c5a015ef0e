import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { mapConcurrent } from "./concurrency.ts";

test("results keep the order of the items, and no more than the limit run at once", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat()), fc.integer({ min: 1, max: 5 }), fc.scheduler(), async (items, limit, s) => {
      let running = 0;
      let most = 0;
      const work = async (item: number): Promise<number> => {
        running += 1;
        most = Math.max(most, running);
        await s.schedule(Promise.resolve());
        running -= 1;
        return item * 2;
      };
      const results = await s.waitFor(mapConcurrent(items, limit, work));
      assert.deepEqual(
        results,
        items.map((item) => item * 2),
      );
      assert.equal(most, Math.min(limit, items.length));
    }),
  );
});

test("the first failure is the result", async () => {
  const work = (item: number): Promise<number> =>
    item > 1 ? Promise.reject(new Error(`${item}`)) : Promise.resolve(item);
  await assert.rejects(mapConcurrent([1, 2, 3], 1, work), /^Error: 2$/);
  await assert.rejects(mapConcurrent([1, 2, 3], 3, work), /^Error: 2$/);
});
