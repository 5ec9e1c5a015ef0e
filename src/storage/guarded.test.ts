import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { driverContract } from "../../test/contract/driver.ts";
import { countingDriver } from "../../test/support/counting-driver.ts";
import { type DriverCall, failingDriver } from "../../test/support/failing-driver.ts";
import { decorate } from "../lib/decorate.ts";
import { canStage, canStamp, type StorageDriver } from "./driver.ts";
import { StorageBusy, StorageDown, StorageError, StorageFull, StorageUnreachable, WriteConflict } from "./errors.ts";
import type { GuardOptions } from "./guard.ts";
import { guardDriver } from "./guarded.ts";
import { MemoryDriver } from "./memory.ts";

const PROBE = "/wharfinger-probe";
const CALLS: readonly DriverCall[] = ["getContent", "putContent", "reader", "writer", "stat", "list", "move", "delete"];

driverContract("guarded", async () => guard(new MemoryDriver()).driver);

describe("a guarded driver", () => {
  test("keeps what its driver can do beyond a driver's calls, and guards what it knows of that", async () => {
    const more = { tapes: () => 3, beginStaged: async () => undefined, statStaged: async () => raise(dead()) };
    const { driver } = guard(decorate(new MemoryDriver(), more));
    assert.equal((driver as StorageDriver & { tapes(): number }).tapes(), 3);
    assert.ok(!("redirectUrl" in driver));
    assert.ok(canStage(driver));
    await assert.rejects(driver.statStaged("/upload"), StorageUnreachable);
  });

  test("asks nothing of a storage that is dead, and tells of it once", async () => {
    const { storage, driver, told } = guard(new MemoryDriver());
    storage.failAll(dead);
    await assert.rejects(driver.stat("/a"), StorageUnreachable);
    await setImmediate();
    storage.forget();
    for (const call of callsOf(driver)) await assert.rejects(call, StorageDown, String(call));
    assert.deepEqual(storage.calls, []);
    assert.deepEqual(told, [
      ["the storage does not answer; requests are refused until it does", { reason: "s3: refused" }],
    ]);
  });

  test("tells no stamps of a storage that is dead", async () => {
    const stamp = { inode: 1n, modified: 2n, changed: 3n, size: 4n, isDirectory: false };
    let asked = 0;
    const stampOf = (): typeof stamp => {
      asked += 1;
      return stamp;
    };
    const { storage, driver } = guard(decorate(new MemoryDriver(), { stampOf }));
    assert.ok(canStamp(driver));
    assert.equal(driver.stampOf("/a"), stamp);
    storage.failAll(dead);
    await assert.rejects(driver.getContent("/a"), StorageUnreachable);
    await setImmediate();
    storage.mend();
    assert.equal(driver.stampOf("/a"), undefined);
    assert.equal(asked, 1);
  });

  test("asks it again when a probe is answered, whatever the answer", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { storage, driver, told } = guard(new MemoryDriver(), { pause: 1000 });
    await driver.putContent("/a", Buffer.from("a"));
    storage.failAll(dead);
    await assert.rejects(driver.stat("/a"), StorageUnreachable);
    await setImmediate();
    storage.mend();
    await assert.rejects(driver.stat("/a"), StorageDown);
    t.mock.timers.tick(1000);
    await setImmediate();
    assert.equal((await driver.stat("/a")).size, 1);
    assert.deepEqual(told[1], ["the storage answers again", { seconds: 0, spared: 1 }]);
  });

  test("is not taken down by what is broken alone, nor by failures that say nothing of the whole", async () => {
    const { storage, driver, told } = guard(new MemoryDriver());
    storage.fail("getContent", (path) => (path === "/broken" ? dead() : undefined));
    await driver.putContent("/whole", Buffer.from("x"));
    for (let i = 0; i < 20; i++) {
      await assert.rejects(driver.getContent("/broken"), StorageUnreachable);
      await setImmediate();
      assert.equal((await driver.getContent("/whole")).length, 1);
    }
    storage.mend();
    for (const error of [new StorageError("s3", "403"), new StorageFull("s3"), new WriteConflict("s3", "/x")]) {
      storage.failAll(() => error);
      for (const call of callsOf(driver)) await assert.rejects(call, (thrown) => thrown === error);
      await setImmediate();
    }
    assert.deepEqual(told, []);
  });

  test("probes once for many failures at a time", async () => {
    const { storage, driver } = guard(new MemoryDriver());
    const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
    storage.fail("getContent", dead);
    storage.hold("stat", answered);
    await Promise.all(Array.from({ length: 50 }, () => assert.rejects(driver.getContent("/a"), StorageUnreachable)));
    assert.deepEqual(
      storage.calls.filter((call) => call.startsWith("stat ")),
      [`stat ${PROBE}`],
    );
    answer();
  });

  test("lets a reader and a writer that are open go on while it refuses others, and hears what they throw", async () => {
    const { storage, driver, told } = guard(new MemoryDriver());
    await driver.putContent("/read", Buffer.from("bytes"));
    await using reader = await driver.reader("/read");
    await using writer = await driver.writer("/written", { append: false });
    storage.failAll(dead);
    await assert.rejects(driver.stat("/a"), StorageUnreachable);
    await setImmediate();
    await assert.rejects(driver.stat("/a"), StorageDown);
    assert.equal(await reader.read(Buffer.alloc(9)), 5);
    await writer.write(Buffer.from("more"));
    await writer.close();
    storage.mend();
    assert.equal(told.length, 1);
  });

  test("doubts a storage whose writer fails", async () => {
    const inner = new MemoryDriver();
    const failing = decorate<StorageDriver>(inner, {
      writer: async (...open) => decorate(await inner.writer(...open), { write: async () => raise(dead()) }),
    });
    const { storage, driver } = guard(failing);
    const writer = await driver.writer("/upload", { append: false });
    storage.forget();
    await assert.rejects(writer.write(Buffer.from("x")), StorageUnreachable);
    assert.deepEqual(storage.calls, [`stat ${PROBE}`]);
  });

  test("has no more calls waiting than may, tells of it once, and takes calls as others end", async () => {
    const { storage, driver, told } = guard(new MemoryDriver(), { limit: 4 });
    const { promise, resolve: release } = Promise.withResolvers<void>();
    storage.hold("stat", promise);
    const waiting = Array.from({ length: 4 }, () => driver.stat("/"));
    for (let i = 0; i < 3; i++) await assert.rejects(driver.list("/"), StorageBusy);
    assert.equal(storage.calls.length, 4);
    release();
    await Promise.all(waiting);
    assert.deepEqual(await driver.list("/"), []);
    assert.deepEqual(told, [
      ["the storage does not keep up; requests are refused until it does", { calls: 4 }],
      ["the storage keeps up again", { refused: 3 }],
    ]);
  });

  test("takes a storage for dead in which nothing ends any more, and for alive when the probe is answered", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { storage, driver, told } = guard(new MemoryDriver(), { stall: 10, patience: 20 });
    const { promise, resolve: release } = Promise.withResolvers<void>();
    storage.hold("stat", promise);
    const hanging = driver.stat("/");
    t.mock.timers.tick(9);
    assert.equal(storage.calls.length, 1);
    t.mock.timers.tick(1);
    assert.deepEqual(storage.calls, ["stat /", `stat ${PROBE}`]);
    assert.deepEqual(await driver.list("/"), []);
    t.mock.timers.tick(20);
    await assert.rejects(driver.list("/"), StorageDown);
    release();
    await hanging;
    await setImmediate();
    assert.deepEqual(await driver.list("/"), []);
    assert.equal(told.length, 2);
  });

  test("does not doubt a storage in which something hangs while other calls end", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { storage, driver } = guard(new MemoryDriver(), { stall: 10 });
    const { promise, resolve: release } = Promise.withResolvers<void>();
    storage.hold("stat", promise);
    const hanging = driver.stat("/");
    for (let i = 0; i < 5; i++) {
      t.mock.timers.tick(9);
      await driver.list("/");
      t.mock.timers.tick(1);
    }
    release();
    await hanging;
    assert.deepEqual(
      storage.calls.filter((call) => call.startsWith("stat ")),
      ["stat /"],
    );
  });
});

interface Storage extends ReturnType<typeof failingDriver> {
  readonly calls: readonly string[];
  forget(): void;
  failAll(fault: () => Error): void;
  /** From now on such calls wait for `released`. */
  hold(call: DriverCall, released: Promise<void>): void;
}

interface Guarded {
  readonly storage: Storage;
  readonly driver: StorageDriver;
  /** Warnings. */
  readonly told: readonly (readonly [message: string, fields: unknown])[];
}

function guard(inner: StorageDriver, options: Partial<GuardOptions> = {}): Guarded {
  const told: [string, unknown][] = [];
  const held = new Map<PropertyKey, Promise<void>>();
  const holding = new Proxy(inner, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key, target);
      const released = held.get(key);
      if (typeof member !== "function") return member;
      if (released === undefined) return member.bind(target);
      return (...parameters: readonly unknown[]) => released.then(() => Reflect.apply(member, target, [...parameters]));
    },
  });
  const failing = failingDriver(holding);
  const { driver, calls, forget } = countingDriver(failing.driver);
  const storage: Storage = {
    ...failing,
    calls,
    forget,
    failAll: (fault) => {
      for (const call of CALLS) failing.fail(call, fault);
    },
    hold: (call, released) => held.set(call, released),
  };
  const warn = (message: string, fields: unknown): unknown => told.push([message, fields]);
  return { storage, driver: guardDriver(driver, { warn, ...options }), told };
}

function callsOf(driver: StorageDriver): readonly (() => Promise<unknown>)[] {
  return [
    () => driver.getContent("/a"),
    () => driver.putContent("/a", Buffer.from("a")),
    () => driver.reader("/a"),
    () => driver.writer("/a", { append: false }),
    () => driver.stat("/a"),
    () => driver.list("/"),
    () => driver.move("/a", "/b"),
    () => driver.delete("/a"),
  ];
}

function dead(): StorageUnreachable {
  return new StorageUnreachable("s3", "refused");
}

function raise(error: Error): never {
  throw error;
}
