import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { driverContract } from "../../test/contract/driver.ts";
import { AtomicMemory } from "../../test/support/atomic-memory.ts";
import { decorate } from "../lib/decorate.ts";
import { ClosingDriver } from "./closing.ts";
import {
  canListDetailed,
  canRecall,
  canRedirect,
  canStamp,
  canWriteAtomically,
  type FileInfo,
  type FileWriter,
  type RedirectingDriver,
  type StorageDriver,
} from "./driver.ts";
import { StorageError } from "./errors.ts";
import { MemoryDriver } from "./memory.ts";

class Ended extends Error {}

driverContract("with an end", async () => closing(new MemoryDriver()));

const INFO: FileInfo = { size: 1, isDirectory: false, modified: 2 };

describe("a driver that was disposed of", () => {
  test("tells no stamps, which it did before where the driver has them", async () => {
    const stamp = { inode: 1n, modified: 2n, changed: 3n, size: 4n, isDirectory: false };
    const driver = closing(decorate(new MemoryDriver(), { stampOf: () => stamp }));
    assert.ok(canStamp(driver));
    assert.equal(driver.stampOf("/object"), stamp);
    await driver[Symbol.asyncDispose]();
    assert.equal(driver.stampOf("/object"), undefined);
    assert.ok(!canStamp(closing(new MemoryDriver())));
  });

  test("recalls nothing, which it did before where the driver can", async () => {
    const known = { recallContent: () => "text", recallInfo: () => INFO, recallListing: () => [] };
    const driver = closing(decorate(new MemoryDriver(), known));
    assert.ok(canRecall(driver));
    const recalled = (): readonly unknown[] => [
      driver.recallContent("/a"),
      driver.recallInfo("/a"),
      driver.recallListing?.("/a"),
    ];
    assert.deepEqual(recalled(), ["text", INFO, []]);
    await driver[Symbol.asyncDispose]();
    assert.deepEqual(recalled(), [undefined, undefined, undefined]);
    assert.ok(!canRecall(closing(new MemoryDriver())));
  });

  test("refuses every call, and those on its readers and writers", async () => {
    const inner = new MemoryDriver();
    await inner.putContent("/object", Buffer.from("some bytes"));
    const driver = closing(inner);
    const reader = await driver.reader("/object");
    const writer = await driver.writer("/upload", { append: true });
    await driver[Symbol.asyncDispose]();
    for (const call of [
      () => driver.getContent("/object"),
      () => driver.putContent("/object", Buffer.from("other")),
      () => driver.reader("/object"),
      () => driver.writer("/object", { append: false }),
      () => driver.stat("/object"),
      () => driver.list("/"),
      () => driver.move("/object", "/elsewhere"),
      () => driver.delete("/object"),
      () => reader.read(new Uint8Array(4)),
      () => writer.write(Buffer.from("x")),
      () => writer.close(),
      () => writer.commit(),
      () => writer.cancel(),
    ]) {
      await assert.rejects(call, Ended, String(call));
    }
    assert.equal(Buffer.from(await inner.getContent("/object")).toString(), "some bytes");
    await reader[Symbol.asyncDispose]();
    await writer[Symbol.asyncDispose]();
  });

  test("refuses what some drivers can do besides, and has taken away what was to appear whole", async () => {
    const inner = new AtomicMemory();
    const driver = closing(inner);
    assert.ok(canWriteAtomically(driver));
    const writer = await driver.atomicWriter("/object", "/aside");
    const done = await driver.atomicWriter("/done", "/aside");
    for (const one of [writer, done]) await one.write(Buffer.from("half"));
    await done.commit();
    assert.equal(done.size, 4);
    const [unfinished] = await driver.listUnfinished("/");
    assert.ok(unfinished);
    await driver[Symbol.asyncDispose]();
    assert.deepEqual(await inner.listUnfinished("/object"), []);
    assert.deepEqual(await inner.list("/"), ["done"]);
    for (const call of [
      () => driver.atomicWriter("/object", "/aside"),
      () => driver.listUnfinished("/"),
      () => driver.removeUnfinished(unfinished),
      () => writer.write(Buffer.from("x")),
      () => writer.commit(),
    ]) {
      await assert.rejects(call, Ended, String(call));
    }
    assert.ok(!canWriteAtomically(closing(new MemoryDriver())));
  });

  test("has kept what its open writers had written", async () => {
    const inner = new MemoryDriver();
    const driver = closing(inner);
    const writer = await driver.writer("/upload", { append: true });
    await writer.write(Buffer.from("half"));
    await driver[Symbol.asyncDispose]();
    await using next = await inner.writer("/upload", { append: true });
    assert.equal(next.size, 4);
  });

  test("is disposed of once, after the call that runs and what is open", async () => {
    const events: string[] = [];
    const { promise: written, resolve: finish } = Promise.withResolvers<void>();
    const driver = closing(
      withWriter(events, {
        write: async () => {
          events.push("write begins");
          await written;
          events.push("write ends");
        },
      }),
    );
    const writer = await driver.writer("/upload", { append: true });
    const writing = writer.write(Buffer.from("x"));
    const disposals = Promise.all([driver[Symbol.asyncDispose](), driver[Symbol.asyncDispose]()]);
    await assert.rejects(driver.stat("/"), Ended);
    events.push("a call is refused");
    finish();
    await Promise.all([writing, disposals]);
    const end = ["write ends", "the writer ends", "the driver ends"];
    assert.deepEqual(events, ["write begins", "a call is refused", ...end]);
  });

  test("waits for a writer that opens meanwhile", async () => {
    const events: string[] = [];
    const { promise: opened, resolve: open } = Promise.withResolvers<void>();
    const driver = closing(withWriter(events, {}, opened));
    const opening = driver.writer("/upload", { append: true });
    const end = driver[Symbol.asyncDispose]();
    open();
    await Promise.all([opening, end]);
    assert.deepEqual(events, ["the writer ends", "the driver ends"]);
  });

  test("waits for a writer that its owner is disposing of, which is not done again", async () => {
    const events: string[] = [];
    const { promise: flushed, resolve: flush } = Promise.withResolvers<void>();
    const slowly = async (): Promise<void> => {
      events.push("the writer is ending");
      await flushed;
      events.push("the writer ends");
    };
    const driver = closing(withWriter(events, { [Symbol.asyncDispose]: slowly }));
    const writer = await driver.writer("/upload", { append: true });
    const disposals = [writer, driver, writer].map((one) => one[Symbol.asyncDispose]());
    await new Promise((resolve) => setImmediate(resolve));
    events.push("the storage is done");
    flush();
    await Promise.all(disposals);
    assert.deepEqual(events, ["the writer is ending", "the storage is done", "the writer ends", "the driver ends"]);
  });

  test("is disposed of also where a writer cannot be closed, which is told", async () => {
    const events: string[] = [];
    const fails = new StorageError("inmemory", "broken");
    const driver = closing(withWriter(events, { [Symbol.asyncDispose]: () => Promise.reject(fails) }));
    await driver.writer("/upload", { append: true });
    await assert.rejects(driver[Symbol.asyncDispose](), (error) => {
      assert.ok(error instanceof AggregateError);
      assert.deepEqual(error.errors, [fails]);
      return true;
    });
    assert.deepEqual(events, ["the driver ends"]);
  });
});

test("a driver can send clients elsewhere after it was wrapped, exactly where it could before", async () => {
  assert.equal(canRedirect(closing(new MemoryDriver())), false);
  const driver = closing(new RedirectingMemory());
  assert.ok(canRedirect(driver));
  assert.equal((await driver.redirectUrl("/a", { method: "HEAD" }))?.href, "http://bytes.test/a?HEAD");
  await driver[Symbol.asyncDispose]();
  await assert.rejects(driver.redirectUrl("/a", { method: "GET" }), Ended);
});

test("a driver says as much in its listings after it was wrapped, exactly where it did before", async () => {
  const names = decorate<StorageDriver, { listDetailed: undefined }>(new MemoryDriver(), { listDetailed: undefined });
  assert.equal(canListDetailed(closing(names)), false);
  const inner = new MemoryDriver();
  await inner.putContent("/object", Buffer.from("x"));
  const driver = closing(decorate<StorageDriver>(inner, {}));
  assert.ok(canListDetailed(driver));
  assert.deepEqual(await driver.listDetailed("/"), await inner.listDetailed("/"));
  await driver[Symbol.asyncDispose]();
  await assert.rejects(driver.listDetailed("/"), Ended);
});

class RedirectingMemory extends MemoryDriver implements RedirectingDriver {
  redirectUrl: RedirectingDriver["redirectUrl"] = async (path, { method }) =>
    new URL(`${path}?${method}`, "http://bytes.test");
}

function closing(driver: StorageDriver): ClosingDriver {
  return new ClosingDriver(driver, () => new Ended("too late"));
}

/** A storage whose writers do as told, and say in `events` when they and it are disposed of. */
function withWriter(events: string[], calls: Partial<FileWriter>, opened?: Promise<void>): StorageDriver {
  const nothing = async (): Promise<void> => undefined;
  const writer: FileWriter = {
    ...{ size: 0, write: nothing, close: nothing, commit: nothing, cancel: nothing },
    [Symbol.asyncDispose]: async () => void events.push("the writer ends"),
    ...calls,
  };
  return Object.assign(new MemoryDriver(), {
    writer: async () => {
      await opened;
      return writer;
    },
    [Symbol.asyncDispose]: async () => void events.push("the driver ends"),
  });
}
