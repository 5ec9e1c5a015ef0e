import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { type TestContext, test } from "node:test";
import type { StorageDriver } from "../../src/storage/driver.ts";
import { PathNotFound } from "../../src/storage/errors.ts";

/** Opens an empty storage for one test; what it needs is taken down in `t.after`. */
export type OpenDriver = (t: TestContext) => Promise<StorageDriver>;

/** What the interface leaves to a driver. */
export interface DriverTraits {
  /** Directories are real: no object replaces one, and appending to nothing creates an object. */
  readonly directories: boolean;
  /** A writer notices that somebody else changed its object. */
  readonly conflicts: boolean;
  /** An open reader goes on with the bytes it began with when the object is replaced or removed. */
  readonly snapshots: boolean;
}

export type Check = (title: string, run: (driver: StorageDriver, t: TestContext) => Promise<void>) => void;

/** Declares tests that each get their own driver and must leave nothing behind that cannot be deleted. */
export function checkWith(open: OpenDriver): Check {
  return (title, run) => {
    test(title, async (t) => {
      await using driver = await open(t);
      await run(driver, t);
      await empty(driver);
      assert.deepEqual(await driver.list("/"), []);
    });
  };
}

export async function empty(driver: StorageDriver): Promise<void> {
  for (const name of await driver.list("/")) await driver.delete(`/${name}`, { durable: false });
}

export async function readAll(driver: StorageDriver, path: string, offset?: number): Promise<Buffer> {
  await using reader = await driver.reader(path, offset);
  const parts: Uint8Array[] = [];
  const into = new Uint8Array(100_000);
  for (let length = await reader.read(into); length > 0; length = await reader.read(into)) {
    parts.push(into.slice(0, length));
  }
  return Buffer.concat(parts);
}

/** Writes `content` behind what is there and leaves it for the next writer. */
export async function appendAndClose(driver: StorageDriver, path: string, content: Uint8Array): Promise<number> {
  await using writer = await driver.writer(path, { append: true });
  const before = writer.size;
  await writer.write(content);
  await writer.close();
  return before;
}

export async function commitTo(driver: StorageDriver, path: string, content: Uint8Array): Promise<void> {
  await using writer = await driver.writer(path, { append: false });
  await writer.write(content);
  await writer.commit();
}

export async function rejectsAsAbsent(driver: StorageDriver, path: string, call: Promise<unknown>): Promise<void> {
  await assert.rejects(call, (error) => {
    assert.ok(error instanceof PathNotFound, String(error));
    assert.equal(error.path, path);
    assert.equal(error.driver, driver.name);
    assert.equal(error.message, `${driver.name}: Path not found: ${path}`);
    return true;
  });
}

export async function content(driver: StorageDriver, path: string): Promise<Buffer> {
  return Buffer.from(await driver.getContent(path));
}

export function random(length: number): Buffer {
  return randomBytes(length);
}

/** Not `deepEqual`, which takes minutes to print how two long buffers differ. */
export function sameBytes(actual: Uint8Array, expected: Uint8Array, what: string = "the content"): void {
  assert.equal(actual.length, expected.length, `${what}: ${actual.length} bytes, not ${expected.length}`);
  assert.ok(Buffer.compare(actual, expected) === 0, `${what} differs`);
}
