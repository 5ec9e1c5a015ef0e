import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { KeyedLock } from "./keyed-lock.ts";

test("one holder is exclusive, several are shared, other names do not wait, and all get their turn in order", async () => {
  const request = fc.record({ key: fc.constantFrom("a", "b"), exclusive: fc.boolean(), fails: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(request, { maxLength: 20 }), fc.scheduler(), async (requests, s) => {
      const lock = new KeyedLock();
      const holders = { a: new Set<number>(), b: new Set<number>() };
      const begun = { a: [] as number[], b: [] as number[] };
      const done = requests.map(async ({ key, exclusive, fails }, i) => {
        const work = async (): Promise<number> => {
          assert.ok([...holders[key]].every((other) => !exclusive && requests[other]?.exclusive === false));
          holders[key].add(i);
          begun[key].push(i);
          await s.schedule(Promise.resolve());
          holders[key].delete(i);
          if (fails) throw new Error("failed");
          return i;
        };
        const result = await (exclusive ? lock.exclusive(key, work) : lock.shared(key, work)).catch(() => -1);
        assert.equal(result, fails ? -1 : i);
      });
      await s.waitFor(Promise.all(done));
      for (const key of ["a", "b"] as const) {
        const expected = requests.flatMap((one, i) => (one.key === key ? [i] : []));
        assert.deepEqual(begun[key], expected);
      }
    }),
    { numRuns: 300 },
  );
});

test("who comes behind one that waits exclusively waits too, so that it gets its turn", async () => {
  const lock = new KeyedLock();
  const gate = Promise.withResolvers<void>();
  const order: string[] = [];
  const shared = (name: string, wait?: Promise<void>): Promise<void> =>
    lock.shared("k", async () => {
      order.push(name);
      await wait;
    });
  const all = [
    shared("first", gate.promise),
    lock.exclusive("k", async () => {
      order.push("exclusive");
    }),
    shared("last"),
  ];
  assert.deepEqual(order, ["first"]);
  gate.resolve();
  await Promise.all(all);
  assert.deepEqual(order, ["first", "exclusive", "last"]);
});

test("no more wait than may, for all names together, and who has waited makes room", async () => {
  const lock = new KeyedLock({ limit: 2, toError: () => new Error("too many") });
  const gates = { a: Promise.withResolvers<void>(), b: Promise.withResolvers<void>() };
  const order: string[] = [];
  const take = (key: "a" | "b", name: string): Promise<void> =>
    lock.exclusive(key, async () => {
      order.push(name);
      await gates[key].promise;
    });
  const begun = [take("a", "a1"), take("b", "b1"), take("a", "a2"), take("b", "b2")];
  await assert.rejects(take("a", "a3"), /too many/);
  await lock.shared("c", async () => order.push("c1"));
  gates.a.resolve();
  await Promise.all([begun[0], begun[2]]);
  const last = take("b", "b3");
  gates.b.resolve();
  await Promise.all([...begun, last]);
  assert.deepEqual(order, ["a1", "b1", "c1", "a2", "b2", "b3"]);
});
