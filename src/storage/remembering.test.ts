import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { driverContract } from "../../test/contract/driver.ts";
import { countingDriver } from "../../test/support/counting-driver.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { decorate } from "../lib/decorate.ts";
import { canListDetailed, canRecall, canStamp, type FileInfo, type FileStamp, type StampingDriver } from "./driver.ts";
import { PathNotFound } from "./errors.ts";
import { openFilesystem } from "./filesystem.ts";
import { MemoryDriver } from "./memory.ts";
import { rememberingDriver } from "./remembering.ts";

const SECOND = 1000;
const EVERYTHING = { contents: () => true, stats: () => true, listings: () => true };

driverContract("filesystem with a memory", async (t) => {
  const folder = await temporaryFolder("remembering");
  t.after(() => folder[Symbol.asyncDispose]());
  return rememberingDriver(await openFilesystem({ rootdirectory: folder.path }), EVERYTHING);
});

describe("a content that is read again", () => {
  test("is not asked for a third time while its stamp is the same", async () => {
    const { driver, read, calls } = await open({ age: 50 });
    assert.deepEqual([await read(), await read(), await read(), await read()], ["old", "old", "old", "old"]);
    assert.deepEqual(calls, ["getContent", "stampOf", "getContent", "stampOf", "stampOf", "stampOf"]);
    await driver.putContent("/link", Buffer.from("new"));
    assert.equal(await read(), "new");
  });

  test("is not remembered while a change could hide in the same step of the clock", async () => {
    const { read, calls } = await open({ age: 49 });
    for (let i = 0; i < 3; i++) await read();
    assert.equal(calls.filter((call) => call === "getContent").length, 3);
  });

  test("is not remembered where it was changed at a time to come", async () => {
    const { read, calls } = await open({ age: -1000 });
    for (let i = 0; i < 3; i++) await read();
    assert.equal(calls.filter((call) => call === "getContent").length, 3);
  });

  test("is not remembered where it changed while it was read", async () => {
    const { driver, inner, read, interrupt } = await open({ age: 50 });
    await read();
    interrupt(() => inner.putContent("/link", Buffer.from("new")));
    assert.equal(await read(), "old");
    assert.equal(await read(), "new");
    await driver.delete("/link");
    await assert.rejects(read(), PathNotFound);
  });

  test("is recalled without a promise, until it changes", async () => {
    const { driver, inner, read, calls } = await open({ age: 50 });
    assert.ok(canRecall(driver));
    assert.equal(driver.recallContent("/link"), undefined);
    for (let i = 0; i < 2; i++) await read();
    calls.length = 0;
    assert.equal(driver.recallContent("/link"), "old");
    assert.deepEqual(calls, ["stampOf"]);
    await nextTurn();
    await inner.putContent("/link", Buffer.from("new"));
    assert.equal(driver.recallContent("/link"), undefined);
    await inner.delete("/link");
    assert.equal(driver.recallContent("/link"), undefined);
  });

  test("is looked at once for all that recall it in one turn, and anew after a change by this process", async () => {
    const { driver, read, calls } = await open({ age: 50 });
    assert.ok(canRecall(driver));
    for (let i = 0; i < 2; i++) await read();
    calls.length = 0;
    for (let i = 0; i < 3; i++) assert.equal(driver.recallContent("/link"), "old");
    assert.deepEqual(calls, ["stampOf"]);
    await nextTurn();
    calls.length = 0;
    assert.equal(driver.recallContent("/link"), "old");
    assert.deepEqual(calls, ["stampOf"]);
    await driver.putContent("/link", Buffer.from("new"));
    assert.equal(driver.recallContent("/link"), undefined);
  });

  test("is the reader's own", async () => {
    const { driver, read } = await open({ age: 50 });
    for (let i = 0; i < 3; i++) (await driver.getContent("/link")).fill(0);
    assert.equal(await read(), "old");
  });

  test("is asked for where it is too long to be remembered", async () => {
    const { driver, inner, calls } = await open({ age: 50 });
    await inner.putContent("/link", Buffer.alloc(257));
    for (let i = 0; i < 3; i++) await driver.getContent("/link");
    assert.equal(calls.filter((call) => call === "getContent").length, 3);
  });
});

test("a size that is asked for again comes from the stamp, and is that of the moment", async () => {
  const { driver, inner, calls } = await open({ age: 0 });
  const first = await driver.stat("/link");
  assert.deepEqual(await driver.stat("/link"), {
    ...first,
    modified: Math.floor(first.modified ?? 0),
  } satisfies FileInfo);
  await inner.putContent("/link", Buffer.from("longer"));
  assert.equal((await driver.stat("/link")).size, 6);
  assert.deepEqual(calls, ["stat", "stampOf", "stampOf"]);
  await inner.delete("/link");
  await assert.rejects(driver.stat("/link"), PathNotFound);
});

test("a listing is not read a third time while its folder is the same, and then for ten seconds", async (t) => {
  const folder = await temporaryFolder("remembering");
  t.after(() => folder[Symbol.asyncDispose]());
  const files = await openFilesystem({ rootdirectory: folder.path });
  if (!canStamp(files)) return t.skip("the temporary folder lies on a file system without stamps");
  await files.putContent("/folder/one", Buffer.from("x"));
  let time = Date.now() + SECOND;
  const counted = countingDriver(files);
  const driver = rememberingDriver(counted.driver, { ...EVERYTHING, now: () => time });
  assert.ok(canListDetailed(driver));
  const list = async (): Promise<readonly string[]> => (await driver.listDetailed("/folder")).map(({ name }) => name);
  for (let i = 0; i < 5; i++) assert.deepEqual(await list(), ["one"]);
  assert.equal(counted.calls.length, 2);
  await files.putContent("/folder/two", Buffer.from("x"));
  assert.deepEqual((await list()).toSorted(), ["one", "two"]);
  counted.forget();
  time += 10 * SECOND;
  await list();
  assert.equal(counted.calls.length, 0);
  time += 1;
  await list();
  assert.equal(counted.calls.length, 1);
});

test("a driver without stamps is left as it is", () => {
  const driver = new MemoryDriver();
  assert.equal(rememberingDriver(driver, EVERYTHING), driver);
});

/** A driver over one link, `age` ms after it was written. */
async function open({ age }: { readonly age: number }) {
  const time = 1_790_000_000_000;
  const { driver: inner, calls, interrupt } = stamping(() => time);
  await inner.putContent("/link", Buffer.from("old"));
  const driver = rememberingDriver(inner, { ...EVERYTHING, now: () => time + age });
  const read = async (): Promise<string> => Buffer.from(await driver.getContent("/link")).toString();
  return { driver, inner, calls, interrupt, read };
}

/** Every object has an inode of its own. */
function stamping(now: () => number) {
  const memory = new MemoryDriver({ now });
  const calls: string[] = [];
  const stamps = new Map<string, FileStamp>();
  let inodes = 0n;
  let interruption: (() => Promise<void>) | undefined;
  const driver: StampingDriver = decorate(memory, {
    putContent: async (path: string, content: Uint8Array) => {
      await memory.putContent(path, content);
      const time = BigInt(now()) * 1_000_000n;
      inodes += 1n;
      const size = BigInt(content.length);
      stamps.set(path, { inode: inodes, modified: time, changed: time, size, isDirectory: false });
    },
    getContent: async (path: string) => {
      calls.push("getContent");
      const content = await memory.getContent(path);
      await interruption?.();
      interruption = undefined;
      return content;
    },
    stat: (path: string) => {
      calls.push("stat");
      return memory.stat(path);
    },
    delete: async (path: string) => {
      stamps.delete(path);
      await memory.delete(path);
    },
    stampOf: (path: string) => {
      calls.push("stampOf");
      return stamps.get(path);
    },
  });
  const interrupt = (by: () => Promise<void>): void => {
    interruption = by;
  };
  return { driver, calls, interrupt };
}

/** Past a look at the sockets: what runs right behind one belongs to it. */
async function nextTurn(): Promise<void> {
  for (let check = 0; check < 2; check++) await setImmediate();
}
