import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BufferPool } from "./buffer-pool.ts";

test("lends no buffer twice, no more than its limit, and keeps no more than its other limit", () => {
  const steps = fc.array(fc.constantFrom("take", "give", "forget"), { maxLength: 60 });
  fc.assert(
    fc.property(steps, fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 5 }), (actions, most, kept) => {
      const pool = new BufferPool(8, most * 8 + 7, kept * 8 + 7);
      const lent: Buffer[] = [];
      for (const action of actions) {
        const mine = action === "take" ? undefined : lent.pop();
        if (action === "take") {
          const buffer = pool.take();
          assert.equal(buffer === undefined, lent.length === most);
          assert.ok(!buffer || !lent.includes(buffer));
          if (buffer) lent.push(buffer);
        } else if (mine) action === "give" ? pool.give(mine) : pool.forget();
      }
    }),
  );
});

test("lends again what was given back, as long as it kept it", () => {
  const pool = new BufferPool(8, 24, 8);
  const [one, two] = [pool.take(), pool.take()];
  assert.ok(one && two && one.length === 8);
  pool.give(one);
  pool.give(two);
  assert.equal(pool.take(), one);
  assert.notEqual(pool.take(), two);
});
