import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Delivery, type DeliverySurroundings } from "./delivery.ts";
import { noFigures } from "./endpoint-figures.ts";
import { EventStore } from "./event-store.ts";

const HOUR = 3_600_000;

/** An endpoint whose answers are `answer`'s, with a clock that only waiting moves. */
function deliveryTo(
  answer: (body: string, now: number) => number | Error,
  over: Partial<DeliverySurroundings> = {},
  rules = { name: "a", threshold: 3, backoff: 1000 },
) {
  const store = new EventStore({ path: ":memory:", limit: 2 ** 30, now: Date.now });
  const taken: string[] = [];
  const attempts: { body: string; at: number }[] = [];
  const said: string[] = [];
  const figures = noFigures("a");
  let now = 0;
  const delivery = new Delivery(rules, {
    store,
    figures,
    post: async (body) => {
      attempts.push({ body, at: now });
      const status = answer(body, now);
      if (status instanceof Error) throw status;
      if (status < 400) taken.push(body);
      return { status, text: `${status} told` };
    },
    wait: async (time, signal) => {
      now += time;
      return !signal.aborted;
    },
    warn: (message) => said.push(message),
    ...over,
  });
  const add = (...bodies: string[]): void => {
    store.add(bodies.map((body) => ({ endpoint: "a", pull: false, body })));
    figures.pending += bodies.length;
    delivery.wake();
  };
  return { delivery, store, taken, attempts, said, figures, add };
}

/** Delivers what is there and ends. */
async function runThrough(delivery: Delivery): Promise<void> {
  const running = delivery.run(new AbortController().signal);
  await new Promise((resolve) => setImmediate(resolve));
  delivery.drain();
  await running;
}

describe("a delivery", () => {
  it("sends one after the other, in order, and takes them out of the queue", async () => {
    const { delivery, store, taken, figures, add } = deliveryTo(() => 200);
    add("1", "2", "3");
    await runThrough(delivery);
    assert.deepEqual(taken, ["1", "2", "3"]);
    assert.equal(store.count("a"), 0);
    assert.deepEqual([figures.successes, figures.pending, figures.statuses], [3, 0, { "200 told": 3 }]);
  });

  it("goes on when something new comes", async () => {
    const { delivery, taken, add } = deliveryTo(() => 200);
    const end = new AbortController();
    const running = delivery.run(end.signal);
    for (const body of ["1", "2"]) {
      add(body);
      while (!taken.includes(body)) await new Promise((resolve) => setImmediate(resolve));
    }
    end.abort();
    await running;
    assert.deepEqual(taken, ["1", "2"]);
  });

  it("tries again at once below the threshold, and waits from there on", async () => {
    const answers = [new Error("refused"), 500, 404, 503, 200, 500, 204];
    const { delivery, attempts, figures, said, add } = deliveryTo(() => answers.shift() ?? 200);
    add("1", "2");
    await delivering(delivery, () => figures.successes === 2);
    assert.deepEqual(
      attempts.map(({ body, at }) => [body, at]),
      [
        ["1", 0],
        ["1", 0],
        ["1", 0],
        ["1", 1000],
        ["1", 2000],
        ["2", 2000],
        ["2", 2000],
      ],
    );
    assert.deepEqual([figures.errors, figures.failures, figures.successes], [1, 4, 2]);
    assert.deepEqual(said, [
      "endpoint a failed 3 times in a row and is tried again every 1000 ms: it answered 404 told",
      "endpoint a takes events again",
    ]);
  });

  it("loses and reorders nothing while an endpoint is down for an hour", async () => {
    const down = (_: string, now: number): number | Error =>
      now < HOUR ? ([500, new Error("reset"), 429][Math.floor(now / 1000) % 3] ?? 500) : 200;
    const { delivery, store, taken, attempts, figures, add } = deliveryTo(down);
    const bodies = Array.from({ length: 2000 }, (_, index) => String(index));
    add(...bodies);
    await delivering(delivery, () => figures.successes === 2000);
    assert.deepEqual(taken, bodies);
    assert.equal(store.count("a"), 0);
    assert.equal(attempts.length, 3602 + 2000); // one a second, and two at once before
  });

  it("does not send again what it could not take out of the queue", async () => {
    const inner = new EventStore({ path: ":memory:", limit: 2 ** 30, now: Date.now });
    const store: DeliverySurroundings["store"] = {
      next: (name, seq) => inner.next(name, seq),
      delivered: () => {
        throw new Error("database or disk is full");
      },
      noteFailure: () => undefined,
      noteSuccess: () => undefined,
    };
    const { delivery, taken, said } = deliveryTo(() => 200, { store });
    inner.add(["1", "2"].map((body) => ({ endpoint: "a", pull: false, body })));
    await runThrough(delivery);
    assert.deepEqual(taken, ["1", "2"]);
    assert.deepEqual(said, ["endpoint a: its state cannot be written: database or disk is full"]);
  });

  it("goes on behind the furthest of those that it follows, also where one of them never began", async () => {
    const store = new EventStore({ path: ":memory:", limit: 2 ** 30, now: Date.now });
    store.add(["1", "2"].map((body) => ({ endpoint: "a", pull: false, body })));
    const broken = (): never => {
      throw new Error("the disk is full");
    };
    const around = { next: store.next.bind(store), delivered: broken, noteFailure: broken, noteSuccess: broken };
    const [first, second, third] = [1, 2, 3].map(() => deliveryTo(() => 200, { store: around }));
    assert.ok(first && second && third);
    await runThrough(first.delivery);
    third.delivery.follow(first.delivery);
    third.delivery.follow(second.delivery);
    store.add([{ endpoint: "a", pull: false, body: "3" }]);
    await runThrough(third.delivery);
    assert.deepEqual([first.taken, third.taken], [["1", "2"], ["3"]]);
  });

  it("ends where it is drained and the endpoint does not take what there is", async () => {
    const { delivery, taken, store, add } = deliveryTo((body) => (body === "2" ? 500 : 200));
    add("1", "2", "3");
    const running = delivery.run(new AbortController().signal);
    delivery.drain();
    await running;
    assert.deepEqual(taken, ["1"]);
    assert.equal(store.count("a"), 2);
  });

  it("takes every answer from 200 to 399", async () => {
    for (const [status, isTaken] of [
      [199, false],
      [200, true],
      [304, true],
      [399, true],
      [400, false],
    ] as const) {
      const { delivery, figures, add } = deliveryTo(() => status);
      add("1");
      const running = delivery.run(new AbortController().signal);
      delivery.drain();
      await running;
      assert.equal(figures.successes, isTaken ? 1 : 0, String(status));
    }
  });
});

/** Runs it until `met`, which is looked at between two turns of the event loop. */
async function delivering(delivery: Delivery, met: () => boolean): Promise<void> {
  const end = new AbortController();
  const running = delivery.run(end.signal);
  while (!met()) await new Promise((resolve) => setImmediate(resolve));
  end.abort();
  await running;
}
