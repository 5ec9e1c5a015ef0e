import assert from "node:assert/strict";
import { test } from "node:test";
import { Desk } from "./desk.ts";

/** What of `promises` has come about. */
async function settled(...promises: readonly Promise<unknown>[]): Promise<readonly boolean[]> {
  const done = promises.map(() => false);
  for (const [index, promise] of promises.entries()) {
    promise.then(
      () => {
        done[index] = true;
      },
      () => undefined,
    );
  }
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  return done;
}

const NOTHING = (): void => undefined;

test("a lock of one worker keeps another one waiting until it is given back", async () => {
  const desk = new Desk();
  const [one, other] = [desk.seat(NOTHING), desk.seat(NOTHING)];
  const first = one.lock({ id: 1, key: "a", exclusive: true });
  const [second, elsewhere] = [
    other.lock({ id: 1, key: "a", exclusive: false }),
    other.lock({ id: 2, key: "b", exclusive: true }),
  ];
  assert.deepEqual(await settled(first, second, elsewhere), [true, false, true]);
  one.release(1);
  assert.deepEqual(await settled(second), [true]);
});

test("shared ones of several workers are held together", async () => {
  const desk = new Desk();
  const seats = [desk.seat(NOTHING), desk.seat(NOTHING)];
  const locks = seats.map((seat) => seat.lock({ id: 7, key: "a", exclusive: false }));
  assert.deepEqual(await settled(...locks), [true, true]);
});

test("what a worker that is gone had or waited for is given on", async () => {
  const desk = new Desk();
  const [gone, waiting, last] = [desk.seat(NOTHING), desk.seat(NOTHING), desk.seat(NOTHING)];
  const held = gone.lock({ id: 1, key: "a", exclusive: true });
  const alsoGone = waiting.lock({ id: 1, key: "a", exclusive: true });
  const next = last.lock({ id: 1, key: "a", exclusive: true });
  assert.deepEqual(await settled(held, alsoGone, next), [true, false, false]);
  waiting[Symbol.dispose]();
  gone[Symbol.dispose]();
  assert.deepEqual(await settled(alsoGone, next), [false, true]);
});

test("who has an upload, or waits for it, is told to stop when another one asks", async () => {
  const desk = new Desk();
  const told: string[] = [];
  const seat = (name: string) => desk.seat((id) => told.push(`${name} ${id}`));
  const [one, two, three] = [seat("one"), seat("two"), seat("three")];
  const first = one.turn({ id: 5, key: "a/1" });
  assert.deepEqual(told, []);
  const second = two.turn({ id: 6, key: "a/1" });
  assert.deepEqual(told, ["one 5"]);
  const third = three.turn({ id: 7, key: "a/1" });
  assert.deepEqual(told.slice(1).sort(), ["one 5", "two 6"]);
  assert.deepEqual(await settled(first, second, third), [true, false, false]);
  one.release(5);
  assert.deepEqual(await settled(second, third), [true, false]);
  two.release(6);
  assert.deepEqual(await settled(third), [true]);
  three.release(7);
  await settled();
  assert.equal(desk.turns.size, 0);
});

test("a lock and an upload of the same name have nothing to do with each other", async () => {
  const desk = new Desk();
  const seat = desk.seat(NOTHING);
  const both = [seat.lock({ id: 1, key: "a", exclusive: true }), seat.turn({ id: 2, key: "a" })];
  assert.deepEqual(await settled(...both), [true, true]);
});
