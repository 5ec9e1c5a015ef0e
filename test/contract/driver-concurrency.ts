import assert from "node:assert/strict";
import type { StorageDriver } from "../../src/storage/driver.ts";
import { PathNotFound, WriteConflict } from "../../src/storage/errors.ts";
import { type Check, commitTo, content, type DriverTraits, random, readAll, sameBytes } from "./driver-harness.ts";

const MIB = 1024 * 1024;

export function checkConcurrency(check: Check, traits: DriverTraits): void {
  checkReplacing(check);
  checkCrowds(check);
  checkDeleting(check);
  if (traits.snapshots) checkSnapshots(check);
  if (traits.conflicts) checkConflicts(check);
}

function checkReplacing(check: Check): void {
  check("readers see the old content or the new one, nothing between", async (driver) => {
    const contents = [Buffer.alloc(150_000, "a"), Buffer.alloc(70_000, "b"), Buffer.alloc(0)];
    const sizes = contents.map((one) => one.length);
    await driver.putContent("/object", Buffer.alloc(70_000, "b"));
    const whole = (bytes: Buffer): void => assert.ok(contents.some((one) => one.equals(bytes)));
    await during(replaceOften(driver, "/object", contents), [
      async () => whole(await content(driver, "/object")),
      async () => whole(await readAll(driver, "/object")),
      async () => {
        const { size } = await driver.stat("/object");
        assert.ok(sizes.includes(size), `${size} bytes`);
      },
    ]);
  });

  check("a folder lists its objects only, also while they are being replaced", async (driver) => {
    await driver.putContent("/folder/link", Buffer.from("x"));
    await during(replaceOften(driver, "/folder/link", [random(100), random(100)]), [
      async () => assert.deepEqual((await driver.list("/folder")).filter(isOurs), ["link"]),
    ]);
  });

  check("of several contents put at once, one stays whole", async (driver) => {
    const contents = Array.from({ length: 16 }, (_, fill) => Buffer.alloc(50_000 + fill, fill));
    await Promise.all(contents.map((bytes) => driver.putContent("/new/folder/object", bytes)));
    const left = await content(driver, "/new/folder/object");
    assert.ok(contents.some((bytes) => bytes.equals(left)));
    assert.deepEqual(await driver.list("/new/folder"), ["object"]);
  });
}

function checkCrowds(check: Check): void {
  check("ten readers of one object each get what is behind their offset", async (driver) => {
    const bytes = random(16 * MIB);
    await commitTo(driver, "/object", bytes);
    const offsets = Array.from({ length: 10 }, (_, index) => index * MIB + index);
    const read = await Promise.all(offsets.map((offset) => readAll(driver, "/object", offset)));
    for (const [index, part] of read.entries()) assert.ok(part.equals(bytes.subarray(offsets[index])));
  });

  check("thirty-two writers do not disturb each other", async (driver) => {
    const parts = Array.from({ length: 32 }, () => random(600_000));
    await Promise.all(parts.map((bytes, index) => commitTo(driver, `/folder/${index % 4}/${index}`, bytes)));
    for (const [index, bytes] of parts.entries()) {
      assert.ok((await content(driver, `/folder/${index % 4}/${index}`)).equals(bytes));
    }
  });
}

function checkDeleting(check: Check): void {
  check("a folder can be deleted while others fill it, and they go on", async (driver) => {
    const fill = async (name: number): Promise<void> => {
      for (let count = 0; count < 25; count++) {
        await driver.putContent(`/tree/${name % 2}/${name}/${count}`, Buffer.from("x"), { durable: false });
      }
    };
    await during(Promise.all([0, 1, 2, 3].map(fill)), [() => deleteIfThere(driver, "/tree")]);
    await deleteIfThere(driver, "/tree");
    await driver.putContent("/tree/0/0/last", Buffer.from("kept"));
    assert.deepEqual(await driver.list("/tree/0/0"), ["last"]);
  });

  check("of two that delete the same folder, none fails but for its absence", async (driver) => {
    for (let round = 0; round < 10; round++) {
      for (let name = 0; name < 10; name++) {
        await driver.putContent(`/tree/${name % 3}/${name}`, Buffer.from("x"), { durable: false });
      }
      await Promise.all([deleteIfThere(driver, "/tree"), deleteIfThere(driver, "/tree")]);
      assert.deepEqual(await driver.list("/"), []);
    }
  });
}

function checkSnapshots(check: Check): void {
  const changes: readonly [string, (driver: StorageDriver) => Promise<void>][] = [
    ["replaced", (driver) => driver.putContent("/object", Buffer.alloc(MIB, "b"))],
    ["moved over", (driver) => driver.move("/other", "/object")],
    ["moved away", (driver) => driver.move("/object", "/elsewhere")],
    ["deleted", (driver) => driver.delete("/object")],
  ];
  for (const [what, change] of changes) {
    check(`a reader of an object that is ${what} goes on with the old bytes`, async (driver) => {
      await driver.putContent("/object", Buffer.alloc(MIB, "a"));
      await driver.putContent("/other", Buffer.alloc(MIB, "b"));
      await using reader = await driver.reader("/object");
      await reader.read(new Uint8Array(10));
      await change(driver);
      const into = Buffer.alloc(MIB);
      let filled = 0;
      for (let length = -1; length !== 0; filled += length) length = await reader.read(into.subarray(filled));
      sameBytes(into.subarray(0, filled), Buffer.alloc(MIB - 10, "a"));
    });
  }
}

function checkConflicts(check: Check): void {
  check("a writer does not append behind another's bytes", async (driver) => {
    await driver.putContent("/object", Buffer.from("start"));
    await using late = await driver.writer("/object", { append: true });
    const bytes = random(MIB);
    await commitAppend(driver, "/object", bytes);
    await assert.rejects(late.write(random(MIB)), WriteConflict);
    await assert.rejects(late.commit(), WriteConflict);
    sameBytes(await content(driver, "/object"), Buffer.concat([Buffer.from("start"), bytes]));
  });

  check("few bytes conflict at the latest when they are committed or closed", async (driver) => {
    for (const end of ["commit", "close"] as const) {
      await driver.putContent("/object", Buffer.from("start"));
      await using late = await driver.writer("/object", { append: true });
      await commitAppend(driver, "/object", Buffer.from(" and more"));
      await assert.rejects(
        late.write(Buffer.from("late")).then(() => late[end]()),
        WriteConflict,
      );
      assert.equal((await content(driver, "/object")).toString(), "start and more");
    }
  });

  const changes: readonly [string, (driver: StorageDriver) => Promise<void>][] = [
    ["was moved into place", (driver) => driver.move("/upload", "/blob")],
    ["was removed", (driver) => driver.delete("/upload")],
    ["was removed and put again", (driver) => again(driver)],
    ["was replaced", (driver) => driver.putContent("/upload", Buffer.from("begin"))],
    ["lost its folder", (driver) => moveAndBlock(driver)],
  ];
  for (const [what, change] of changes) {
    check(`a writer does not touch an object that ${what}`, async (driver) => {
      await using late = await driver.writer("/upload", { append: true });
      await late.write(Buffer.from("begin"));
      await late.close();
      await using writer = await driver.writer("/upload", { append: true });
      await change(driver);
      const before = await snapshot(driver);
      await assert.rejects(writer.write(random(MIB)), WriteConflict);
      await writer.close();
      assert.deepEqual(await snapshot(driver), before);
    });
  }
}

async function again(driver: StorageDriver): Promise<void> {
  await driver.delete("/upload");
  await driver.putContent("/upload", Buffer.from("begin"));
}

async function moveAndBlock(driver: StorageDriver): Promise<void> {
  await driver.move("/upload", "/blob");
  await driver.putContent("/upload/below", Buffer.from("begin"));
}

/** All objects and folders two levels deep, with their contents. */
async function snapshot(driver: StorageDriver, folder: string = ""): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const name of (await driver.list(folder || "/")).sort()) {
    const path = `${folder}/${name}`;
    const { isDirectory } = await driver.stat(path);
    found[path] = isDirectory ? await snapshot(driver, path) : (await content(driver, path)).toString("base64");
  }
  return found;
}

async function commitAppend(driver: StorageDriver, path: string, bytes: Uint8Array): Promise<void> {
  await using writer = await driver.writer(path, { append: true });
  await writer.write(bytes);
  await writer.commit();
}

async function replaceOften(driver: StorageDriver, path: string, contents: readonly Uint8Array[]): Promise<void> {
  for (let round = 0; round < 40; round++) {
    const bytes = contents[round % contents.length] ?? Buffer.alloc(0);
    await driver.putContent(path, bytes, { durable: round % 2 === 0 });
  }
}

async function deleteIfThere(driver: StorageDriver, path: string): Promise<void> {
  await driver.delete(path).catch((error: unknown) => {
    if (!(error instanceof PathNotFound)) throw error;
  });
}

/** The gateway that stands for S3 lists files of its own while it replaces one. */
function isOurs(name: string): boolean {
  return !name.includes(".sgwtmp.");
}

/** Does `others` again and again, each at least once, until `work` is done. */
async function during(work: Promise<unknown>, others: readonly (() => Promise<void>)[]): Promise<void> {
  let working = true;
  const done = work.finally(() => {
    working = false;
  });
  const repeat = async (other: () => Promise<void>): Promise<void> => {
    do await other();
    while (working);
  };
  await Promise.all([done, ...others.map(repeat)]);
}
