import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { Delivery } from "./delivery.ts";
import { noFigures } from "./endpoint-figures.ts";
import { EventDispatch } from "./event-dispatch.ts";
import type { QueuedEvent } from "./event-store.ts";
import { openQueueFiles } from "./queue-files.ts";

const MIB = 1024 * 1024;

/** As one process on a folder, or of its own where there is none; `names` are its endpoints, which take what `takes` says. */
function dispatchOn(
  folder: string | undefined,
  names: readonly string[],
  takes = (_: string): boolean => true,
  now = Date.now,
) {
  const said: string[] = [];
  const taken: string[] = [];
  const { store, lock } = openQueueFiles(folder, MIB, now, (message) => assert.fail(message));
  const wait = async (_: number, signal: AbortSignal): Promise<boolean> => {
    await new Promise((resolve) => setImmediate(resolve));
    return !signal.aborted;
  };
  const endpoints = names.map((name) => {
    const figures = noFigures(name);
    const post = async (body: string) => {
      if (takes(name)) taken.push(`${name}: ${body}`);
      return { status: takes(name) ? 200 : 500, text: "" };
    };
    const surroundings = { store, post, figures, wait, warn: (message: string) => said.push(message) };
    return { figures, delivery: new Delivery({ name, threshold: 1000, backoff: 1 }, surroundings) };
  });
  const log = (level: string, message: string): void => void said.push(`${level}: ${message}`);
  const dispatch = new EventDispatch({ store, lock, endpoints, disabled: ["off"], log, wait });
  return { dispatch, store, said, taken, endpoints, figures: endpoints.map(({ figures }) => figures) };
}

function event(endpoint: string, body: string): QueuedEvent {
  return { endpoint, pull: false, body };
}

describe("the dispatch of events", () => {
  it("has each endpoint's delivered to it, whatever becomes of the others', and counts them", async () => {
    const { dispatch, taken, figures } = dispatchOn(undefined, ["a", "b"], (name) => name === "a");
    dispatch.look();
    dispatch.add([event("a", "1"), event("b", "1"), event("a", "2")]);
    await dispatch.close(60_000);
    assert.deepEqual(taken, ["a: 1", "a: 2"]);
    const [a, b] = figures;
    assert.deepEqual([a?.events, a?.pending, a?.successes], [2, 0, 2]);
    assert.deepEqual([b?.events, b?.pending, b?.successes], [1, 1, 0]);
    assert.ok((b?.failures ?? 0) > 0);
  });

  it("leaves the delivery to the process that was first, and takes it over when that ends", async () => {
    await using folder = await temporaryFolder("dispatch");
    const [one, two] = [dispatchOn(folder.path, ["a"]), dispatchOn(folder.path, ["a"])];
    one.dispatch.look();
    two.dispatch.look();
    two.dispatch.add([event("a", "of two")]);
    assert.equal(one.figures[0]?.pending, 0);
    one.dispatch.look();
    assert.equal(one.figures[0]?.pending, 1);
    await one.dispatch.close(60_000);
    assert.deepEqual([one.taken, two.taken], [["a: of two"], []]);
    two.dispatch.add([event("a", "later")]);
    two.dispatch.look();
    await two.dispatch.close(60_000);
    assert.deepEqual(two.taken, ["a: later"]);
  });

  it("begins with what waits, and drops what has waited for days for endpoints that are not there", async () => {
    await using folder = await temporaryFolder("dispatch");
    const { dispatch: before } = dispatchOn(folder.path, ["a", "gone", "off"]);
    before.add([event("a", "1"), event("gone", "1"), event("off", "1")]);
    await before.close(0);
    const soon = dispatchOn(folder.path, ["a"]);
    soon.dispatch.look();
    assert.equal(soon.figures[0]?.pending, 1);
    assert.deepEqual([soon.store.count("gone"), soon.said], [1, []]);
    await soon.dispatch.close(60_000);
    assert.deepEqual(soon.taken, ["a: 1"]);
    const inDays = () => Date.now() + 8 * 24 * 3_600_000;
    const late = dispatchOn(folder.path, ["a"], () => true, inDays);
    late.dispatch.look();
    assert.deepEqual([late.store.count("gone"), late.store.count("off")], [0, 1]);
    const why = "which is not configured, the last of them for more than 7 days, and were dropped";
    assert.deepEqual(late.said, [`warn: 1 events waited for endpoint gone, ${why}`]);
    await late.dispatch.close(0);
  });

  it("drops what waits for an endpoint that it had, and nothing of one that another process alone knows", async () => {
    await using folder = await temporaryFolder("dispatch");
    const one = dispatchOn(folder.path, ["a", "x"], () => false);
    const other = dispatchOn(folder.path, ["a", "x", "y"], () => false);
    one.dispatch.look();
    other.dispatch.look();
    other.dispatch.add([event("x", "1"), event("y", "1"), event("y", "2")]);
    await one.dispatch.become({ endpoints: one.endpoints.slice(0, 1), disabled: ["off"] });
    one.dispatch.look();
    assert.deepEqual([one.store.count("x"), one.store.count("y")], [0, 2]);
    assert.deepEqual(one.said, [
      "warn: 1 events waited for endpoint x, which is no longer configured, and were dropped",
    ]);
    await Promise.all([one.dispatch.close(0), other.dispatch.close(0)]);
  });

  it("drops what waits for its last endpoint too, even where it is closed at once", async () => {
    await using folder = await temporaryFolder("dispatch");
    const one = dispatchOn(folder.path, ["a"], () => false);
    one.dispatch.look();
    one.dispatch.add([event("a", "1")]);
    const changed = one.dispatch.become({ endpoints: [], disabled: [] });
    await one.dispatch.close(0);
    await changed;
    const { store, dispatch } = dispatchOn(folder.path, ["a"]);
    assert.equal(store.count("a"), 0);
    await dispatch.close(0);
  });

  it("tries again where its queue cannot be read, and says so once a minute", async () => {
    const { dispatch, store, said, taken } = dispatchOn(undefined, ["a"]);
    const { next } = store;
    let failures = 0;
    store.next = (...asked) => {
      if (failures === 100) return next.apply(store, asked);
      failures += 1;
      throw new Error("the disk is broken");
    };
    dispatch.look();
    dispatch.add([event("a", "1")]);
    while (taken.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await dispatch.close(60_000);
    const line = "error: endpoint a: the queue of notifications cannot be read: the disk is broken";
    assert.deepEqual([taken, said], [["a: 1"], [line, line]]);
  });

  it("says in one line what had to go because there was no room", async () => {
    const { dispatch, said, figures } = dispatchOn(undefined, ["a"], () => false);
    for (let index = 0; index < 1000; index += 1) dispatch.add([event("a", "x".repeat(3000))]);
    dispatch.look();
    const dropped = figures[0]?.dropped ?? 0;
    assert.ok(dropped > 500);
    assert.equal(figures[0]?.pending, 1000 - dropped);
    const line = `error: the queue of notifications is full: ${dropped} events for endpoint a were dropped, oldest pulls first`;
    assert.deepEqual(said, [line]);
    await dispatch.close(0);
  });

  it("has others delivered to when its endpoints change, after the attempt that is under way, from where it was", async () => {
    const { store } = openQueueFiles(undefined, MIB, Date.now, (message) => assert.fail(message));
    const taken: string[] = [];
    const going = Promise.withResolvers<void>();
    const recipient = (version: string, wait: Promise<void>) => {
      const figures = noFigures("a");
      const post = async (body: string) => {
        await wait;
        taken.push(`${version}: ${body}`);
        return { status: 200, text: "" };
      };
      const around = { store, post, figures, wait: async () => false, warn: () => undefined };
      return { figures, delivery: new Delivery({ name: "a", threshold: 10, backoff: 1 }, around) };
    };
    const [old, next] = [recipient("old", going.promise), recipient("next", Promise.resolve())];
    const wait = async (): Promise<boolean> => false;
    const said: string[] = [];
    const log = (_: string, message: string): void => void said.push(message);
    const dispatch = new EventDispatch({ store, lock: undefined, endpoints: [old], disabled: [], log, wait });
    dispatch.add([event("a", "1"), event("a", "2")]);
    dispatch.look();
    const changed = dispatch.become({ endpoints: [next], disabled: [] });
    dispatch.look();
    assert.deepEqual(taken, []);
    going.resolve();
    await changed;
    dispatch.add([event("a", "3"), event("gone", "4")]);
    dispatch.look();
    await dispatch.close(60_000);
    assert.deepEqual([taken, said], [["old: 1", "next: 2", "next: 3"], []]);
  });
});
