import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { FileWriter, StorageDriver } from "../../src/storage/driver.ts";
import { InvalidOffset, ReaderClosed, WriterClosed } from "../../src/storage/errors.ts";
import {
  appendAndClose,
  type Check,
  commitTo,
  content,
  type DriverTraits,
  random,
  readAll,
  rejectsAsAbsent,
  sameBytes,
} from "./driver-harness.ts";

const MIB = 1024 * 1024;

/** The long mode, for nights: `WHARFINGER_LONG=1`. */
const STREAM = process.env.WHARFINGER_LONG ? 5 * 1024 * MIB : 64 * MIB;

export function checkStreams(check: Check, traits: DriverTraits): void {
  checkReader(check);
  checkWriter(check, traits);
  checkResuming(check);
  checkStates(check);
}

function checkReader(check: Check): void {
  check("a reader begins at its offset and is empty from the end on", async (driver) => {
    const bytes = random(300_001);
    await driver.putContent("/object", bytes);
    for (const offset of [0, 1, 31, 150_000, bytes.length - 1, bytes.length, bytes.length + 1, 2 ** 40]) {
      sameBytes(await readAll(driver, "/object", offset), bytes.subarray(offset), `offset ${offset}`);
    }
  });

  check("a reader knows the size of the whole object, wherever it begins", async (driver) => {
    await driver.putContent("/object", random(1000));
    for (const offset of [0, 999, 1000, 5000]) {
      await using reader = await driver.reader("/object", offset);
      assert.equal(reader.size, 1000);
    }
  });

  check("an offset that is not a whole number of bytes is refused", async (driver) => {
    await driver.putContent("/object", random(10));
    for (const offset of [-1, -(2 ** 40), 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      await assert.rejects(driver.reader("/object", offset), (error) => {
        assert.ok(error instanceof InvalidOffset);
        assert.equal(error.message, `${driver.name}: invalid offset: ${offset} for path: /object`);
        return true;
      });
    }
  });

  check("a read fills at most what it was given, and stays at the end", async (driver) => {
    await driver.putContent("/object", Buffer.from("0123456789"));
    await using reader = await driver.reader("/object", 4);
    assert.equal(await reader.read(new Uint8Array()), 0);
    const into = Buffer.from("......");
    assert.equal(await reader.read(into.subarray(1, 4)), 3);
    assert.equal(into.toString(), ".456..");
    assert.equal(await reader.read(into), 3);
    assert.equal(await reader.read(into), 0);
    assert.equal(await reader.read(into), 0);
  });

  check("a reader that was closed, twice and during a read, gives no more bytes", async (driver) => {
    await driver.putContent("/object", random(MIB));
    const reader = await driver.reader("/object");
    const reading = reader.read(new Uint8Array(MIB));
    await Promise.all([reader[Symbol.asyncDispose](), reader[Symbol.asyncDispose]()]);
    assert.ok((await reading) > 0);
    await assert.rejects(reader.read(new Uint8Array(10)), ReaderClosed);
    await reader[Symbol.asyncDispose]();
  });
}

function checkWriter(check: Check, traits: DriverTraits): void {
  check(`a stream of ${STREAM / MIB} MiB comes back byte for byte`, async (driver) => {
    const written = createHash("sha256");
    await using writer = await driver.writer("/stream", { append: false });
    for await (const chunk of chunksOf(STREAM)) {
      written.update(chunk);
      await writer.write(chunk);
    }
    assert.equal(writer.size, STREAM);
    await writer.commit();
    assert.equal((await driver.stat("/stream")).size, STREAM);
    assert.equal(await hashOf(driver, "/stream"), written.digest("hex"));
  });

  check("chunks of any length add up, around every boundary of a block", async (driver) => {
    const lengths = [0, 1, 65_535, 262_143, 262_144, 262_145, 3, 524_288, 0, 700_001, 262_143, 1, 262_144, 7];
    const chunks = lengths.map((length) => random(length));
    await using writer = await driver.writer("/object", { append: false });
    let size = 0;
    for (const chunk of chunks) {
      await writer.write(chunk);
      size += chunk.length;
      assert.equal(writer.size, size);
    }
    await writer.commit();
    sameBytes(await content(driver, "/object"), Buffer.concat(chunks));
  });

  check("a chunk belongs to the caller again once its write is done", async (driver) => {
    const chunk = Buffer.alloc(300_000);
    await using writer = await driver.writer("/object", { append: false });
    for (const fill of [1, 2, 3]) await writer.write(chunk.fill(fill));
    chunk.fill(9);
    await writer.commit();
    const expected = Buffer.concat([1, 2, 3].map((fill) => Buffer.alloc(300_000, fill)));
    sameBytes(await content(driver, "/object"), expected);
  });

  check("a writer that does not append starts from nothing", async (driver) => {
    await driver.putContent("/object", random(1000));
    await using writer = await driver.writer("/object", { append: false });
    assert.equal(writer.size, 0);
    await writer.write(Buffer.from("new"));
    await writer.commit();
    assert.equal((await content(driver, "/object")).toString(), "new");
  });

  check("a cancelled object is gone", async (driver) => {
    await using writer = await driver.writer("/folder/object", { append: false });
    await writer.write(random(400_000));
    await writer.cancel();
    await rejectsAsAbsent(driver, "/folder/object", driver.stat("/folder/object"));
    await rejectsAsAbsent(driver, "/folder/object", driver.getContent("/folder/object"));
  });

  if (traits.directories) {
    check("appending to nothing creates an object", async (driver) => {
      assert.equal(await appendAndClose(driver, "/folder/object", Buffer.from("x")), 0);
      assert.equal((await content(driver, "/folder/object")).toString(), "x");
    });
  } else {
    check("there must be an object to append to", async (driver) => {
      await rejectsAsAbsent(driver, "/folder/object", driver.writer("/folder/object", { append: true }));
    });
  }
}

function checkResuming(check: Check): void {
  for (const [name, length] of [
    ["32 B", 32],
    ["10 MiB", 10 * MIB],
  ] as const) {
    check(`three writers in turn add ${name} each, and know what is there`, async (driver) => {
      const parts = [random(length), random(length), random(length)] as const;
      await begin(driver, "/folder/object", parts[0]);
      assert.equal(await appendAndClose(driver, "/folder/object", parts[1]), length);
      await using writer = await driver.writer("/folder/object", { append: true });
      assert.equal(writer.size, 2 * length);
      await writer.write(parts[2]);
      assert.equal(writer.size, 3 * length);
      await writer.commit();
      sameBytes(await content(driver, "/folder/object"), Buffer.concat(parts));
    });
  }

  check("disposal without a commit keeps the bytes for the next writer", async (driver) => {
    const [first, second] = [random(300_000), random(10)];
    {
      await using writer = await driver.writer("/object", { append: false });
      await writer.write(first);
    }
    await using writer = await driver.writer("/object", { append: true });
    assert.equal(writer.size, first.length);
    await writer.write(second);
    await writer.commit();
    sameBytes(await content(driver, "/object"), Buffer.concat([first, second]));
  });

  check("an object committed without bytes is empty and can be appended to", async (driver) => {
    await commitTo(driver, "/object", Buffer.alloc(0));
    assert.equal((await content(driver, "/object")).length, 0);
    await appendAndCommit(driver, "/object", Buffer.from("later"));
    assert.equal((await content(driver, "/object")).toString(), "later");
  });

  check("an object put without bytes can be appended to", async (driver) => {
    await driver.putContent("/object", Buffer.alloc(0));
    await appendAndCommit(driver, "/object", Buffer.from("later"));
    assert.equal((await content(driver, "/object")).toString(), "later");
  });
}

type Call = (writer: FileWriter) => Promise<void>;
const CALLS: readonly Call[] = [
  (writer) => writer.write(Buffer.from("x")),
  (writer) => writer.commit(),
  (writer) => writer.cancel(),
  (writer) => writer.close(),
];

function checkStates(check: Check): void {
  check("after a close a writer takes no call", async (driver) => {
    await using writer = await driver.writer("/object", { append: false });
    await writer.close();
    await allThrow(driver, writer, CALLS, "already closed");
  });

  check("after a cancel a writer takes no call", async (driver) => {
    await using writer = await driver.writer("/object", { append: false });
    await writer.cancel();
    await allThrow(driver, writer, CALLS, "already cancelled");
  });

  check("after a commit a writer takes one close", async (driver) => {
    await using writer = await driver.writer("/object", { append: false });
    await writer.write(Buffer.from("kept"));
    await writer.commit();
    await allThrow(driver, writer, CALLS.slice(0, 3), "already committed");
    await writer.close();
    await allThrow(driver, writer, CALLS, "already closed");
    assert.equal((await content(driver, "/object")).toString(), "kept");
  });

  check("a writer can be disposed of at any time, and more than once", async (driver) => {
    for (const end of [...CALLS.slice(1), async () => undefined]) {
      const writer = await driver.writer("/object", { append: false });
      await end(writer);
      await writer[Symbol.asyncDispose]();
      await writer[Symbol.asyncDispose]();
      await assert.rejects(writer.write(Buffer.from("x")), WriterClosed);
    }
    await appendAndCommit(driver, "/object", Buffer.from("x"));
  });

  check("a writer disposed of during a write keeps what that write brought", async (driver) => {
    const writer = await driver.writer("/object", { append: false });
    const bytes = random(2 * MIB);
    const writing = writer.write(bytes);
    await writer[Symbol.asyncDispose]();
    await writing;
    await appendAndCommit(driver, "/object", Buffer.alloc(0));
    sameBytes(await content(driver, "/object"), bytes);
  });
}

async function allThrow(
  driver: StorageDriver,
  writer: FileWriter,
  calls: readonly Call[],
  message: string,
): Promise<void> {
  for (const call of calls) {
    await assert.rejects(call(writer), { name: "WriterClosed", message: `${driver.name}: ${message}` });
  }
}

async function begin(driver: StorageDriver, path: string, bytes: Uint8Array): Promise<void> {
  await using writer = await driver.writer(path, { append: false });
  await writer.write(bytes);
  assert.equal(writer.size, bytes.length);
  await writer.close();
}

async function appendAndCommit(driver: StorageDriver, path: string, bytes: Uint8Array): Promise<void> {
  await using writer = await driver.writer(path, { append: true });
  await writer.write(bytes);
  await writer.commit();
}

async function* chunksOf(total: number): AsyncGenerator<Buffer> {
  const chunk = random(MIB - 1);
  for (let sent = 0; sent < total; ) {
    const length = Math.min(chunk.length, total - sent);
    chunk.writeDoubleBE(sent, 0);
    yield chunk.subarray(0, length);
    sent += length;
  }
}

async function hashOf(driver: StorageDriver, path: string): Promise<string> {
  await using reader = await driver.reader(path);
  const hash = createHash("sha256");
  const into = new Uint8Array(MIB);
  for (let length = await reader.read(into); length > 0; length = await reader.read(into)) {
    hash.update(into.subarray(0, length));
  }
  return hash.digest("hex");
}
