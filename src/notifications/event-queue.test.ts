import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { noFigures } from "./endpoint-figures.ts";
import { EventQueue, type EventQueueOptions } from "./event-queue.ts";
import type { QueuedEvent } from "./event-store.ts";
import type { FromQueue, ToQueue } from "./queue-messages.ts";

/** A queue over a thread whose answers are the test's. */
function queueOver(options: Partial<EventQueueOptions> = {}) {
  const threads: { hear: (message: FromQueue) => void; end: (error?: Error) => void }[] = [];
  const sent: ToQueue[] = [];
  const said: string[] = [];
  const queue = new EventQueue({
    begin: (hear, end) => {
      threads.push({ hear, end });
      return { send: (message) => sent.push(message), end: async () => undefined };
    },
    log: (level, message) => said.push(`${level}: ${message}`),
    ...options,
  });
  const answer = (kind: "added" | "refused"): void => {
    const batch = sent.filter((message) => message.kind === "add").at(-1)?.batch ?? 0;
    threads.at(-1)?.hear(kind === "added" ? { kind, batch } : { kind, batch, reason: "the disk is full" });
  };
  const batches = (): string[] =>
    sent.flatMap((message) => (message.kind === "add" ? [message.events.map(({ body }) => body).join(" ")] : []));
  return { queue, threads, sent, said, answer, batches };
}

function event(body: string, pull = false): QueuedEvent {
  return { endpoint: "a", pull, body };
}

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  void promise.then(() => {
    settled = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

function mockTime(t: TestContext): void {
  t.mock.timers.enable({ apis: ["setTimeout"] });
}

describe("the way into the queue", () => {
  it("waits for the disk, with one transaction for all that came while another ran", async () => {
    const { queue, answer, batches } = queueOver();
    const first = queue.keep([event("1")]);
    const others = [queue.keep([event("2"), event("3")]), queue.keep([event("4")])];
    assert.deepEqual(batches(), ["1"]);
    assert.equal(await isSettled(first), false);
    answer("added");
    assert.equal(await isSettled(first), true);
    assert.deepEqual(batches(), ["1", "2 3 4"]);
    assert.equal(await isSettled(Promise.any(others)), false);
    answer("added");
    assert.equal(await isSettled(Promise.all(others)), true);
  });

  it("writes pulls within a second, or with what cannot wait, in the order they came", async (t) => {
    mockTime(t);
    const { queue, answer, batches } = queueOver();
    queue.note([event("1", true)]);
    queue.note([event("2", true)]);
    t.mock.timers.tick(999);
    assert.deepEqual(batches(), []);
    t.mock.timers.tick(1);
    assert.deepEqual(batches(), ["1 2"]);
    answer("added");
    queue.note([event("3", true)]);
    void queue.keep([event("4")]);
    assert.deepEqual(batches(), ["1 2", "3 4"]);
  });

  it("lets requests go on where the disk takes nothing, and tries again in the same order", async (t) => {
    mockTime(t);
    const { queue, said, answer, batches } = queueOver();
    const first = queue.keep([event("1")]);
    const second = queue.keep([event("2")]);
    answer("refused");
    assert.equal(await isSettled(Promise.all([first, second])), true);
    assert.equal(await isSettled(queue.keep([event("3")])), true);
    assert.deepEqual(batches(), ["1"]);
    t.mock.timers.tick(1000);
    answer("refused");
    t.mock.timers.tick(1000);
    answer("added");
    assert.deepEqual(batches(), ["1", "1 2 3", "1 2 3"]);
    assert.equal(await isSettled(queue.keep([event("4")])), false);
    assert.deepEqual(said, [
      "error: notifications cannot be kept, and wait in memory until they can: the disk is full",
      "info: notifications are kept again",
    ]);
  });

  it("lets requests go on where the disk takes too long", async (t) => {
    mockTime(t);
    const { queue } = queueOver({ patience: 5000 });
    const [first, second] = [queue.keep([event("1")]), queue.keep([event("2")])];
    t.mock.timers.tick(4999);
    assert.equal(await isSettled(first), false);
    t.mock.timers.tick(1);
    assert.equal(await isSettled(Promise.all([first, second])), true);
  });

  it("holds a bounded number of bytes while the disk takes nothing: the oldest pulls go first, then the oldest", (t) => {
    mockTime(t);
    const { queue, threads, said, answer, batches } = queueOver({ memory: 10_000 });
    void queue.keep([event("first")]);
    answer("refused");
    for (let index = 0; index < 20; index += 1) void queue.keep([event(`pull${index} ${"x".repeat(100)}`, true)]);
    for (let index = 0; index < 40; index += 1) void queue.keep([event(`push${index}`)]);
    t.mock.timers.tick(1000);
    const kept = batches().at(-1) ?? "";
    assert.match(kept, /^first pull16 x+ pull17 .* push0 .*push39$/);
    for (let index = 40; index < 100; index += 1) void queue.keep([event(`push${index}`)]);
    answer("refused");
    for (let index = 100; index < 140; index += 1) void queue.keep([event(`push${index}`)]);
    t.mock.timers.tick(1000);
    const later = batches().at(-1) ?? "";
    assert.doesNotMatch(later, /first|pull/);
    assert.match(later, /push138 push139$/);
    threads[0]?.hear({ kind: "figures", figures: [{ ...noFigures("a"), dropped: 1 }, noFigures("b")] });
    const dropped = queue.figures.map((one) => one.dropped);
    assert.deepEqual(dropped, [1 + 161 - later.split(" ").length, 0]);
    assert.match(said.at(-1) ?? "", /events were dropped, oldest pulls first/);
  });

  it("answers a change before the pulls of others are kept, however many wait", async (t) => {
    mockTime(t);
    const { queue, answer, batches } = queueOver();
    queue.note(Array.from({ length: 5000 }, (_, index) => event(`pull${index}`, true)));
    const [one, two] = [queue.keep([event("1")]), queue.keep([event("2")])];
    answer("added");
    assert.equal(await isSettled(Promise.any([one, two])), false);
    queue.note([event("last pull", true)]);
    answer("added");
    assert.equal(await isSettled(Promise.all([one, two])), true);
    assert.match(batches()[1] ?? "", /^1 2 pull1000 .* pull1997$/);
    for (let batch = 0; batch < 3; batch += 1) answer("added");
    t.mock.timers.tick(1000);
    assert.match(batches().at(-1) ?? "", /^pull4998 pull4999 last pull$/);
  });

  it("lets a request go on whose event had to go", async (t) => {
    mockTime(t);
    const { queue } = queueOver({ memory: 1000 });
    void queue.keep([event("sent")]);
    const kept = queue.keep([event("1")]);
    for (let index = 2; index < 9; index += 1) void queue.keep([event(String(index))]);
    assert.equal(await isSettled(kept), true);
  });

  it("says once a second how many had to go", async (t) => {
    mockTime(t);
    const { queue, threads, said } = queueOver({ memory: 1000 });
    void queue.keep([event("sent")]);
    for (let index = 0; index < 24; index += 1) queue.note([event(String(index), true)]);
    assert.deepEqual(said, []);
    t.mock.timers.tick(1000);
    t.mock.timers.tick(1000);
    assert.equal(said.length, 1);
    threads[0]?.hear({ kind: "figures", figures: [noFigures("a")] });
    const gone = queue.figures[0]?.dropped ?? 0;
    assert.ok(gone >= 20);
    assert.deepEqual(said, [`error: ${gone} events were dropped, oldest pulls first: too many wait to be kept`]);
  });

  it("hands over what one request did many times in its order, and that waits for the last of it", async () => {
    const { queue, answer, batches } = queueOver();
    const bodies = Array.from({ length: 10_001 }, (_, index) => String(index));
    const kept = queue.keep(bodies.map((body) => event(body)));
    for (let batch = 1; batch <= 11; batch += 1) {
      assert.equal(await isSettled(kept), false);
      answer("added");
    }
    assert.equal(await isSettled(kept), true);
    assert.deepEqual(
      batches().flatMap((batch) => batch.split(" ")),
      bodies,
    );
  });

  it("begins its thread anew where that ends, and hands over again what that had not kept", async (t) => {
    mockTime(t);
    const { queue, threads, said, answer, batches } = queueOver();
    const kept = queue.keep([event("1")]);
    threads[0]?.end(new Error("out of memory"));
    assert.equal(await isSettled(kept), true);
    assert.equal(threads.length, 1);
    t.mock.timers.tick(1000);
    assert.equal(threads.length, 2);
    assert.deepEqual(batches(), ["1", "1"]);
    answer("added");
    assert.match(said[0] ?? "", /their thread ended, because out of memory/);
  });

  it("does not believe an answer to a batch of the thread before", async (t) => {
    mockTime(t);
    const { queue, threads, batches } = queueOver();
    void queue.keep([event("1")]);
    threads[0]?.end();
    t.mock.timers.tick(1000);
    threads[1]?.hear({ kind: "added", batch: 1 });
    assert.equal(await isSettled(queue.keep([event("2")])), true); // it is still failing
    assert.deepEqual(batches(), ["1", "1"]);
  });

  it("writes what waits before it closes", async () => {
    const { queue, sent, threads, answer, batches } = queueOver();
    queue.note([event("1", true)]);
    const closed = queue.close(700);
    assert.deepEqual(batches(), ["1"]);
    answer("added");
    await isSettled(closed);
    assert.deepEqual(sent.at(-1), { kind: "close", patience: 700 });
    threads[0]?.hear({ kind: "closed" });
    await closed;
  });

  it("tells what its thread counted and said", () => {
    const { queue, threads, said } = queueOver();
    const figures = [
      { name: "a", pending: 1, events: 2, successes: 1, failures: 0, errors: 0, statuses: {}, dropped: 0 },
    ];
    threads[0]?.hear({ kind: "figures", figures });
    threads[0]?.hear({ kind: "log", level: "warn", message: "a is down" });
    assert.deepEqual([queue.figures, said], [figures, ["warn: a is down"]]);
  });
});
