import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { DeliveryLock } from "./delivery-lock.ts";
import { EventStore, type QueuedEvent } from "./event-store.ts";
import { openQueueFiles } from "./queue-files.ts";
import { readQueueStatus } from "./queue-status.ts";

const MIB = 1024 * 1024;

function open(path: string, limit = 64 * MIB): EventStore {
  return new EventStore({ path, limit, now: () => 1000 });
}

function push(endpoint: string, body: string): QueuedEvent {
  return { endpoint, pull: false, body };
}

function pull(endpoint: string, body: string): QueuedEvent {
  return { endpoint, pull: true, body };
}

/** Bodies that wait, without taking them out. */
function waiting(store: EventStore, endpoint: string): readonly string[] {
  const bodies: string[] = [];
  for (let next = store.next(endpoint, 0); next; next = store.next(endpoint, next.seq)) bodies.push(next.body);
  return bodies;
}

describe("a store of events", () => {
  it("gives each endpoint its own in the order they came, also to the next process", async () => {
    await using folder = await temporaryFolder("events");
    {
      using store = open(folder.join("q.db"));
      store.add([push("a", "1"), push("b", "1"), pull("a", "2")]);
      store.add([push("a", "3")]);
      store.delivered("a", store.next("a", 0)?.seq ?? 0);
    }
    using store = open(folder.join("q.db"));
    assert.deepEqual(waiting(store, "a"), ["2", "3"]);
    assert.deepEqual(waiting(store, "b"), ["1"]);
    assert.deepEqual([store.count("a"), store.count("b"), store.count("c")], [2, 1, 0]);
  });

  it("takes all of a batch or nothing", () => {
    using store = open(":memory:");
    const broken = { endpoint: "a", pull: false, body: null } as unknown as QueuedEvent;
    assert.throws(() => store.add([push("a", "1"), broken]));
    assert.deepEqual(waiting(store, "a"), []);
    store.add([push("a", "2")]);
    assert.deepEqual(waiting(store, "a"), ["2"]);
  });

  it("lets the oldest pulls go where there is no room, then the oldest others, and says whose they were", () => {
    using store = open(":memory:", MIB);
    const body = "x".repeat(3000);
    store.add(Array.from({ length: 100 }, (_, index) => push("a", `${index} ${body}`)));
    assert.deepEqual(store.add(Array.from({ length: 60 }, (_, index) => pull("b", `${index} ${body}`))), new Map());
    const dropped = new Map<string, number>();
    for (let index = 100; index < 200; index += 1) {
      for (const [name, count] of store.add([push("a", `${index} ${body}`)])) dropped.set(name, count);
      if (index < 130) assert.ok(!dropped.has("a"), "pulls come first");
    }
    assert.deepEqual([...dropped.keys()], ["b"]);
    for (let index = 200; index < 400; index += 1) store.add([push("a", `${index} ${body}`)]);
    const left = waiting(store, "a").map((text) => Number.parseInt(text, 10));
    assert.deepEqual(
      left,
      Array.from({ length: left.length }, (_, index) => 400 - left.length + index),
    );
    assert.ok(left.length > 100 && left.length < 350);
  });

  it("keeps the order they came in where the clock jumps back", () => {
    const times = [5000, 4000, 3_600_000, 0];
    using store = new EventStore({ path: ":memory:", limit: MIB, now: () => times.shift() ?? 0 });
    for (const body of ["1", "2", "3", "4"]) store.add([push("a", body)]);
    assert.deepEqual(waiting(store, "a"), ["1", "2", "3", "4"]);
  });

  it("drops no more than it must of ten thousand that come at once, and the oldest of them", () => {
    using store = open(":memory:", 4 * MIB);
    const body = "x".repeat(500);
    const dropped = store.add(Array.from({ length: 10_000 }, (_, index) => push("a", `${index} ${body}`)));
    const left = waiting(store, "a").map((text) => Number.parseInt(text, 10));
    assert.equal(left.length, 10_000 - (dropped.get("a") ?? 0));
    assert.deepEqual(
      left,
      Array.from({ length: left.length }, (_, index) => 10_000 - left.length + index),
    );
    assert.ok(left.length * body.length > 3 * MIB, `${left.length} are left`);
  });

  it("forgets one endpoint, with what waits for it", () => {
    using store = open(":memory:");
    store.add([push("a", "1"), push("b", "2"), push("b", "3")]);
    assert.equal(store.forget("b"), 2);
    assert.deepEqual([store.count("a"), store.count("b")], [1, 0]);
  });

  it("forgets others than those it is told when nothing has come for them in seven days", () => {
    const day = 24 * 3_600_000;
    let now = 0;
    using store = new EventStore({ path: ":memory:", limit: MIB, now: () => now });
    store.add([push("a", "1"), push("old", "1"), push("busy", "1"), push("old", "2")]);
    now = 7 * day;
    store.add([push("busy", "2")]);
    assert.deepEqual(store.forgetOthers(["a"]), new Map());
    now += 1;
    assert.deepEqual(store.forgetOthers(["a"]), new Map([["old", 2]]));
    assert.deepEqual(
      ["a", "old", "busy"].map((name) => store.count(name)),
      [1, 0, 2],
    );
  });

  it("shares its file with other processes, and sees that they changed something", async () => {
    await using folder = await temporaryFolder("events");
    using one = open(folder.join("q.db"));
    using two = open(folder.join("q.db"));
    const before = one.version;
    one.add([push("a", "1")]);
    assert.equal(one.version, before);
    two.add([push("a", "2")]);
    assert.notEqual(one.version, before);
    one.add([push("a", "3")]);
    assert.deepEqual(waiting(one, "a"), ["1", "2", "3"]);
  });

  it("gives room that is no longer used back", async () => {
    await using folder = await temporaryFolder("events");
    using store = open(folder.join("q.db"));
    store.add(Array.from({ length: 500 }, () => push("a", "x".repeat(3000))));
    store.delivered("a", Number.MAX_SAFE_INTEGER);
    store.shrink();
    const pages = new DatabaseSync(folder.join("q.db")).prepare("PRAGMA page_count").get()?.["page_count"];
    assert.ok(Number(pages) < 50, `${pages} pages`);
  });

  it("is not opened where the file is that of a newer program", async () => {
    await using folder = await temporaryFolder("events");
    const database = new DatabaseSync(folder.join("q.db"));
    database.exec("PRAGMA user_version = 2");
    database.close();
    assert.throws(() => open(folder.join("q.db")), /version 2 and this program knows 1/);
  });
});

describe("the files of the queue", () => {
  it("are left alone, and the queue is in memory, where they cannot be used", () => {
    const said: string[] = [];
    const { store, lock } = openQueueFiles("/dev/null/queue", MIB, Date.now, (message) => said.push(message));
    using _ = store;
    store.add([push("a", "1")]);
    assert.deepEqual(waiting(store, "a"), ["1"]);
    assert.equal(lock, undefined);
    assert.match(said.join(), /cannot be kept in .*notifications\.db and would be lost at a restart: ENOTDIR/);
  });

  for (const [what, spoil] of [
    ["is none of SQLite's", (file: Buffer) => file.fill("x")],
    ["has a page of others' bytes", (file: Buffer) => file.fill("x", 4 * 4096 + 200)],
    ["was cut short", (file: Buffer) => file.subarray(0, 3 * 4096)],
  ] as const) {
    it(`are begun anew where the one of events ${what}, and the old one is set aside`, async () => {
      await using folder = await temporaryFolder("events");
      const path = folder.join("notifications.db");
      {
        using store = open(path);
        store.add(Array.from({ length: 100 }, (_, index) => push("a", `${index} ${"y".repeat(500)}`)));
      }
      await writeFile(path, spoil(await readFile(path)));
      const said: string[] = [];
      const { store, lock } = openQueueFiles(
        folder.path,
        MIB,
        () => 1000,
        (message) => said.push(message),
      );
      store.add([push("a", "new")]);
      assert.deepEqual(waiting(store, "a"), ["new"]);
      lock?.[Symbol.dispose]();
      store[Symbol.dispose]();
      const aside = "notifications.db.damaged-1970-01-01T00:00:01.000Z";
      assert.ok((await readdir(folder.path)).includes(aside));
      assert.equal(said.length, 1);
      assert.match(
        said[0] ?? "",
        /notifications\.db is damaged \(.+\): it is now .+, and what waited in it is not sent/,
      );
    });
  }

  it("keep no other process from delivering where they are those of a newer program", async () => {
    await using folder = await temporaryFolder("events");
    const database = new DatabaseSync(folder.join("notifications.db"));
    database.exec("PRAGMA user_version = 2");
    database.close();
    const said: string[] = [];
    using _ = openQueueFiles(folder.path, MIB, Date.now, (message) => said.push(message)).store;
    assert.match(said.join(), /would be lost at a restart: it has version 2/);
    using lock = new DeliveryLock(folder.join("notifications.lock"));
    assert.equal(lock.take(), true);
  });

  it("are not set aside by a process beside one that delivers", async () => {
    await using folder = await temporaryFolder("events");
    using lock = new DeliveryLock(folder.join("notifications.lock"));
    assert.ok(lock.take());
    await writeFile(folder.join("notifications.db"), "x".repeat(10_000));
    const said: string[] = [];
    using store = openQueueFiles(folder.path, MIB, Date.now, (message) => said.push(message)).store;
    store.add([push("a", "1")]);
    assert.match(said.join(), /cannot be kept in .*notifications\.db and would be lost at a restart/);
    assert.equal(await readFile(folder.join("notifications.db"), "utf8"), "x".repeat(10_000));
  });

  it("have a lock that one process holds until it ends", async () => {
    await using folder = await temporaryFolder("events");
    const [one, two] = [new DeliveryLock(folder.join("lock")), new DeliveryLock(folder.join("lock"))];
    assert.deepEqual([one.take(), two.take(), one.take()], [true, false, true]);
    one[Symbol.dispose]();
    assert.equal(two.take(), true);
    two[Symbol.dispose]();
  });

  it("can be read beside a registry: what waits, since when, and what failed", async () => {
    await using folder = await temporaryFolder("events");
    assert.deepEqual(readQueueStatus(folder.path, []), []);
    using store = open(folder.join("notifications.db"));
    store.add([push("a", "<ä>"), pull("a", "2")]);
    store.noteFailure("a", "it answered 500");
    store.noteFailure("b", "ECONNREFUSED");
    store.noteSuccess("b");
    const since = new Date(1000);
    assert.deepEqual(readQueueStatus(folder.path, ["c", "a"]), [
      { name: "c", pending: 0, bytes: 0, oldest: undefined, failing: undefined },
      { name: "a", pending: 2, bytes: 5, oldest: since, failing: { since, at: since, error: "it answered 500" } },
    ]);
  });
});
