import assert from "node:assert/strict";
import { test } from "node:test";
import { decorate } from "../lib/decorate.ts";
import { openRegistry } from "../library.ts";
import { digestOf } from "../oci/digest.ts";
import { parseRepositoryName } from "../oci/names.ts";
import type { FileWriter, StorageDriver } from "../storage/driver.ts";
import { MemoryDriver } from "../storage/memory.ts";

const NAME = parseRepositoryName("a/b");
const BYTES = Buffer.from("bytes of a layer");

/** A storage whose writers, closed without waiting, are durable when the test says so. */
class SlowDisk {
  readonly settled: PromiseWithResolvers<void> = Promise.withResolvers();
  readonly closed: (boolean | undefined)[] = [];
  readonly moved: string[] = [];

  open(): StorageDriver {
    const inner = new MemoryDriver();
    this.settled.promise.catch(() => undefined);
    return decorate<StorageDriver>(inner, {
      writer: async (path, options) => this.#writer(await inner.writer(path, options)),
      move: async (source, target) => {
        this.moved.push(target);
        await inner.move(source, target);
      },
    });
  }

  #writer(writer: FileWriter): FileWriter {
    let settled: Promise<void> | undefined;
    return decorate<FileWriter, Pick<FileWriter, "settled">>(writer, {
      close: async (options) => {
        this.closed.push(options?.durable);
        if (options?.durable === false) settled = this.settled.promise;
        await writer.close();
      },
      get settled() {
        return settled;
      },
    });
  }
}

async function pause(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

test("bytes are acknowledged before they are durable, and a blob is not", async () => {
  const disk = new SlowDisk();
  await using registry = openRegistry({ driver: disk.open() });
  const { uploads, blobs } = registry.repository(NAME);
  const upload = await (await uploads.start()).append(BYTES);
  assert.deepEqual(disk.closed, [false]);
  const committing = upload.commit(digestOf(BYTES));
  await pause();
  assert.deepEqual(disk.moved, []);
  disk.settled.resolve();
  await committing;
  assert.equal((await blobs.open(digestOf(BYTES))).descriptor.size, BYTES.length);
});

test("bytes that cannot be made durable never become a blob, however often that is asked for", async () => {
  const disk = new SlowDisk();
  await using registry = openRegistry({ driver: disk.open() });
  const { uploads } = registry.repository(NAME);
  const upload = await (await uploads.start()).append(BYTES);
  disk.settled.reject(new Error("EIO"));
  await assert.rejects(upload.commit(digestOf(BYTES)), /EIO|range/);
  await assert.rejects(async () => (await uploads.resume(upload.id)).commit(digestOf(BYTES)), /EIO|range|unknown/);
  assert.deepEqual(disk.moved, []);
});

test("bytes behind some that cannot be made durable never become a blob, though their own can", async () => {
  const disk = new SlowDisk();
  await using registry = openRegistry({ driver: disk.open() });
  const { uploads } = registry.repository(NAME);
  const upload = await (await uploads.start()).append(BYTES.subarray(0, 4));
  disk.settled.reject(new Error("EIO"));
  await assert.rejects(upload.append(BYTES.subarray(4)), /EIO|unknown/);
  await pause();
  await assert.rejects(uploads.resume(upload.id), /unknown/);
});

test("bytes that another process received are made durable before they become a blob", async () => {
  const disk = new SlowDisk();
  const driver = disk.open();
  await using registry = openRegistry({ driver });
  await using other = openRegistry({ driver });
  const { id } = await (await registry.repository(NAME).uploads.start()).append(BYTES);
  const upload = await other.repository(NAME).uploads.resume(id);
  await upload.commit(digestOf(BYTES));
  assert.deepEqual(disk.closed, [false, undefined]);
});
