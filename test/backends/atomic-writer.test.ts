/** Objects of S3 that appear at their writer's commit. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, beforeEach, describe, test } from "node:test";
import type { AtomicWriter } from "../../src/storage/driver.ts";
import { PathNotFound, StorageError, WriteConflict, WriterClosed } from "../../src/storage/errors.ts";
import { openS3, type S3Driver, type S3Options } from "../../src/storage/s3.ts";
import { content, random, sameBytes } from "../contract/driver-harness.ts";
import { until } from "../faults/until.ts";
import { type FaultProxy, SLOW_DOWN, startFaultProxy } from "../support/fault-proxy.ts";
import { type Gateway, gatewayParameters, startGateway } from "../support/versitygw.ts";

const MIB = 2 ** 20;
const PART = 5 * MIB;
const PATIENCE = { attempts: 3, connect: 1000, silence: 2000, answer: 2000, work: 5000 };

describe("an object that appears at its writer's commit", () => {
  let gateway: Gateway;
  let proxy: FaultProxy;
  let driver: S3Driver;
  before(async () => {
    gateway = await startGateway();
    proxy = await startFaultProxy(gateway.port);
  });
  beforeEach(async () => {
    proxy.onRequest = () => undefined;
    driver = await open({ patience: PATIENCE });
    proxy.forget();
  });
  after(async () => {
    await proxy[Symbol.asyncDispose]();
    await gateway[Symbol.asyncDispose]();
  });

  const open = (options: S3Options): Promise<S3Driver> =>
    openS3(gatewayParameters(proxy.port, { chunksize: PART, rootdirectory: randomUUID() }), options);
  const asked = (): readonly string[] => proxy.requests.map(({ operation }) => operation);
  const write = async (writer: AtomicWriter, bytes: Uint8Array): Promise<void> => {
    for (let i = 0; i < bytes.length; i += 300_000) await writer.write(bytes.subarray(i, i + 300_000));
  };

  for (const [length, requests] of [
    [0, ["PutObject"]],
    [1, ["PutObject"]],
    [PART, ["PutObject"]],
    [PART + 1, ["CreateMultipartUpload", "UploadPart", "UploadPart", "CompleteMultipartUpload"]],
    [2 * PART, ["CreateMultipartUpload", "UploadPart", "UploadPart", "CompleteMultipartUpload"]],
  ] as const) {
    test(`of ${length} bytes costs ${requests.length} requests, and replaces what was there only then`, async () => {
      const bytes = random(length);
      await driver.putContent("/folder/object", Buffer.from("before"));
      proxy.forget();
      {
        await using writer = await driver.atomicWriter("/folder/object", "/aside");
        await write(writer, bytes);
        assert.equal(writer.size, length);
        assert.equal((await content(driver, "/folder/object")).toString(), "before");
        await writer.commit();
        assert.equal(writer.size, length);
        for (const call of [() => writer.write(bytes), () => writer.commit()]) await assert.rejects(call, WriterClosed);
      }
      assert.deepEqual(
        asked().filter((operation) => operation !== "GetObject"),
        requests,
      );
      sameBytes(await content(driver, "/folder/object"), bytes);
      assert.deepEqual(await driver.listUnfinished("/folder"), []);
    });
  }

  test("is not there, and nothing of it, where its writer is disposed of before", async () => {
    for (const length of [0, 10, PART + 10, 3 * PART]) {
      const writer = await driver.atomicWriter("/object", "/aside");
      await write(writer, random(length));
      await writer[Symbol.asyncDispose]();
      await assert.rejects(writer.commit(), WriterClosed);
      await assert.rejects(driver.stat("/object"), PathNotFound);
      assert.deepEqual(await driver.listUnfinished("/object"), []);
    }
  });

  test("is not there, and nothing of it, where S3 fails for a while", async () => {
    for (const failing of ["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "PutObject"]) {
      let failures = 0;
      proxy.onRequest = (operation) =>
        operation === failing && failures++ < PATIENCE.attempts ? SLOW_DOWN : undefined;
      const length = failing === "PutObject" ? 10 : 2 * PART + 10;
      await assert.rejects(
        async () => {
          await using writer = await driver.atomicWriter("/object", "/aside");
          await write(writer, random(length));
          await writer.commit();
        },
        (error) => error instanceof StorageError && error.message.includes(`${failing} failed: SlowDown (503)`),
      );
      await assert.rejects(driver.stat("/object"), PathNotFound);
      assert.deepEqual(await driver.listUnfinished("/object"), []);
    }
  });

  test("is whole although every request has to be made again", async () => {
    const bytes = random(2 * PART + 10);
    for (const kind of ["reset", "lost"] as const) {
      proxy.onRequest = (_operation, _key, index) => (index % 2 === 0 ? { kind } : undefined);
      await using writer = await driver.atomicWriter(`/${kind}`, "/aside");
      await write(writer, bytes);
      await writer.commit();
      proxy.onRequest = () => undefined;
      sameBytes(await content(driver, `/${kind}`), bytes);
    }
  });

  test("can be written by several at once: the last commit counts", async () => {
    const contents = [random(2 * PART), random(10), random(PART + 1)];
    const writers = await Promise.all(contents.map((_, i) => driver.atomicWriter("/object", `/aside-${i}`)));
    await Promise.all(writers.map((writer, i) => write(writer, contents[i] ?? random(0))));
    for (const [i, writer] of writers.entries()) {
      await writer.commit();
      sameBytes(await content(driver, "/object"), contents[i] ?? random(0));
      await writer[Symbol.asyncDispose]();
    }
    assert.deepEqual(await driver.listUnfinished("/object"), []);
  });

  test("that is not finished is found with its time by any process, and its writer stops where it is removed", async () => {
    const before = Date.now();
    await using writer = await driver.atomicWriter("/blobs/ab/data", "/aside");
    await write(writer, random(PART + 1));
    await until("S3 has the first part", () => asked().includes("UploadPart")); // aborting one on its way may miss it
    await driver.beginStaged("/blobs-beside/data");
    assert.deepEqual(await driver.listUnfinished("/blobs/a"), []);
    const [one, ...others] = await driver.listUnfinished("/blobs");
    assert.ok(one && others.length === 0);
    assert.equal(one.path, "/blobs/ab/data");
    assert.ok(Math.abs((one.begun ?? 0) - before) < 60_000);
    for (let i = 0; i < 2; i++) await driver.removeUnfinished(one);
    assert.deepEqual(await driver.listUnfinished("/blobs"), []);
    await assert.rejects(writer.commit(), WriteConflict);
    await driver.delete("/blobs-beside");
  });

  test("waits aside where others need the memory, however slow its writer is", async () => {
    const small = await open({ memory: { budget: 0, tenure: 20 } });
    const contents = [3000, 2 * PART + 7, 4 * MIB, PART + 1000, 1000, 8 * MIB].map(random);
    const writers = await Promise.all(contents.map((_, i) => small.atomicWriter(`/object-${i}`, `/aside-${i}`)));
    for (const [i, writer] of writers.entries()) await writer.write(contents[i]?.subarray(0, 1000) ?? random(0));
    assert.ok(asked().includes("PutObject"));
    for (const [i, writer] of writers.entries()) assert.equal(writer.size, Math.min(contents[i]?.length ?? 0, 1000));
    for (const [i, writer] of writers.entries()) await write(writer, contents[i]?.subarray(1000) ?? random(0));
    for (const writer of writers.slice(1)) await writer.commit();
    for (const writer of writers) await writer[Symbol.asyncDispose]();
    for (const [i, bytes] of contents.entries()) if (i > 0) sameBytes(await content(small, `/object-${i}`), bytes);
    assert.deepEqual((await small.list("/")).sort(), ["object-1", "object-2", "object-3", "object-4", "object-5"]);
  });

  test("is not made of bytes that somebody changed while they lay aside", async () => {
    const small = await open({ memory: { budget: 0, tenure: 20 } });
    const writers = await Promise.all([0, 1, 2].map((i) => small.atomicWriter(`/object-${i}`, `/aside-${i}`)));
    const [first] = writers;
    assert.ok(first);
    for (const writer of writers) await writer.write(random(1000));
    await small.putContent("/aside-0", random(999));
    await assert.rejects(first.commit(), StorageError);
    for (const writer of writers) await writer[Symbol.asyncDispose]();
    await assert.rejects(small.stat("/object-0"), PathNotFound);
  });
});
