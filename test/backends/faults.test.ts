/** S3 behind a network and a service that fail. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, beforeEach, describe, test } from "node:test";
import { PathNotFound, StorageError, WriteConflict } from "../../src/storage/errors.ts";
import { openS3, type S3Driver } from "../../src/storage/s3.ts";
import { content, random, readAll, sameBytes } from "../contract/driver-harness.ts";
import { type Fault, type FaultProxy, SLOW_DOWN, startFaultProxy } from "../support/fault-proxy.ts";
import { type Gateway, gatewayParameters, startGateway } from "../support/versitygw.ts";

const MIB = 2 ** 20;
const PATIENCE = { attempts: 6, connect: 1000, silence: 2000, answer: 2000, work: 5000 };
const NOT_FOUND: Fault = { kind: "status", status: 404, body: "<html>no such page</html>" };
const DENIED: Fault = { kind: "status", status: 403, body: "<Error><Code>AccessDenied</Code></Error>" };
const GONE: Fault = { kind: "status", status: 404, body: "<Error><Code>NoSuchUpload</Code></Error>" };
const INTERNAL: Fault = { kind: "status", status: 500, body: "<Error><Code>InternalError</Code></Error>" };

describe("S3 that fails", () => {
  let gateway: Gateway;
  let proxy: FaultProxy;
  let driver: S3Driver;
  before(async () => {
    gateway = await startGateway();
    proxy = await startFaultProxy(gateway.port);
  });
  beforeEach(async () => {
    proxy.onRequest = () => undefined;
    driver = await openThrough(proxy.port);
    proxy.forget();
  });
  after(async () => {
    await proxy[Symbol.asyncDispose]();
    await gateway[Symbol.asyncDispose]();
  });

  const passing: Readonly<Record<string, Fault>> = {
    "connections that are reset": { kind: "reset" },
    "answers that are lost": { kind: "lost" },
    "answers that break off": { kind: "cut", after: 7 },
    SlowDown: SLOW_DOWN,
    "internal errors": INTERNAL,
    "502 of something between": { kind: "status", status: 502, body: "<html>bad gateway</html>" },
  };
  for (const [what, fault] of Object.entries(passing)) {
    test(`every fourth request meeting ${what} harms nothing`, async () => {
      for (const turn of [1, 2]) {
        proxy.onRequest = (_operation, _key, index) => (index % 4 === turn ? fault : undefined);
        await doEverything(driver, `/turn-${turn}`);
      }
    });
  }

  test("a server that says nothing once is asked again", async () => {
    const impatient = await openThrough(proxy.port, { ...PATIENCE, silence: 300, answer: 300, work: 1000 });
    for (const silent of ["GetObject", "PutObject", "ListObjectsV2", "UploadPart"]) {
      let asked = 0;
      proxy.onRequest = (operation) => (operation === silent && asked++ === 0 ? { kind: "silence" } : undefined);
      await doEverything(impatient, `/silent-${silent}`);
      assert.ok(asked > 1);
    }
  });

  const { "answers that break off": _, ...failing } = passing;
  for (const [what, fault] of Object.entries({ ...failing, "a 403": DENIED, "a 404 of something else": NOT_FOUND })) {
    test(`nothing is taken for absent because of ${what}`, async () => {
      const hasty = await openThrough(proxy.port, { ...PATIENCE, attempts: 2 });
      await hasty.putContent("/folder/object", Buffer.from("there"));
      proxy.onRequest = () => fault;
      for (const call of [
        () => hasty.stat("/folder/object"),
        () => hasty.stat("/folder"),
        () => hasty.statStaged("/folder/object"),
        () => hasty.getContent("/folder/object"),
        () => hasty.reader("/folder/object", 2),
        () => hasty.reader("/folder/object", 99),
        () => hasty.writer("/folder/object", { append: true }),
        () => hasty.list("/folder"),
        () => hasty.delete("/folder"),
        () => hasty.move("/folder/object", "/elsewhere"),
      ]) {
        await assert.rejects(call, (error) => error instanceof StorageError && !(error instanceof PathNotFound));
      }
    });
  }

  test("an object is not taken for absent where only its HEAD meets a 404 of something else", async () => {
    await driver.putContent("/folder/object", Buffer.from("there"));
    await driver.putContent("/folder-beside", Buffer.from("there"));
    let answers = 0;
    proxy.onRequest = (operation) => (operation === "HeadObject" && answers-- > 0 ? NOT_FOUND : undefined);
    for (const [path, isDirectory] of [["/folder/object", false] as const, ["/folder", true] as const]) {
      answers = 1;
      assert.equal((await driver.stat(path)).isDirectory, isDirectory);
    }
    answers = 2;
    await assert.rejects(driver.stat("/folder/object"), /an object that is there was not found \(404\)/);
  });

  test("a body that breaks off again and again is read to its end", async () => {
    const bytes = random(3 * MIB);
    await driver.putContent("/object", bytes);
    proxy.onRequest = (operation, _key, index) =>
      operation === "GetObject" && index % 6 !== 5 ? { kind: "cut", after: 100_000 + index } : undefined;
    sameBytes(await readAll(driver, "/object"), bytes);
    sameBytes(await readAll(driver, "/object", 1000), bytes.subarray(1000));
    sameBytes(await content(driver, "/object"), bytes);
  });

  test("a body that falls silent is asked for again from where it stopped", async () => {
    const impatient = await openThrough(proxy.port, { ...PATIENCE, silence: 200 });
    const bytes = random(MIB);
    await impatient.putContent("/object", bytes);
    let asked = 0;
    proxy.onRequest = (operation) =>
      operation === "GetObject" && asked++ < 3 ? { kind: "stall", after: 100_000 } : undefined;
    sameBytes(await readAll(impatient, "/object"), bytes);
    assert.equal(asked, 4);
  });

  test("a body that breaks off and whose object is replaced meanwhile is no mixture of both", async () => {
    await driver.putContent("/object", Buffer.alloc(MIB, "a"));
    proxy.onRequest = (operation) => (operation === "GetObject" ? { kind: "cut", after: 1000 } : undefined);
    await using reader = await driver.reader("/object");
    proxy.onRequest = () => undefined;
    await driver.putContent("/object", Buffer.alloc(MIB, "b"));
    const into = Buffer.alloc(MIB);
    await assert.rejects(async () => {
      for (let filled = 0; filled < MIB; ) filled += await reader.read(into.subarray(filled));
    }, /changed by another writer/);
    assert.ok(!into.includes("b"));
  });

  test("a storm ends in an error after the tries, and what came before it goes on", async () => {
    const hasty = await openThrough(proxy.port, { ...PATIENCE, attempts: 3 });
    const bytes = random(12 * MIB);
    await using writer = await hasty.writer("/upload", { append: false });
    await writer.write(bytes.subarray(0, 5 * MIB));
    proxy.forget();
    proxy.onRequest = () => SLOW_DOWN;
    await assert.rejects(async () => {
      await writer.write(bytes.subarray(5 * MIB, 6 * MIB));
      await writer.close();
    }, /UploadPart failed: SlowDown \(503\) after 3 attempts/);
    assert.equal(proxy.requests.length, 3);
    proxy.onRequest = () => undefined;
    const { size } = await hasty.statStaged("/upload");
    assert.equal(size, writer.size);
    await using again = await hasty.writer("/upload", { append: true });
    await again.write(bytes.subarray(size));
    await again.commit();
    sameBytes(await content(hasty, "/upload"), bytes);
  });

  test("a wrong tag of a part is no object, and the bytes that S3 has can still be committed", async () => {
    const bytes = random(6 * MIB);
    proxy.onRequest = (operation) =>
      operation === "UploadPart"
        ? { kind: "headers", headers: { etag: '"00000000000000000000000000000000"' } }
        : undefined;
    await using writer = await driver.writer("/upload", { append: false });
    await writer.write(bytes);
    await assert.rejects(writer.commit(), WriteConflict);
    await assert.rejects(driver.stat("/upload"), PathNotFound);
    await driver.commitStaged("/upload", "/blob", await driver.statStaged("/upload"));
    sameBytes(await content(driver, "/blob"), bytes);
  });

  test("an object whose completion was done although S3 failed to say so is known by its tag", async () => {
    const bytes = random(12 * MIB);
    await driver.beginStaged("/upload");
    await append(driver, bytes);
    const asked: string[] = [];
    proxy.onRequest = (operation, key) => {
      if (operation !== "CompleteMultipartUpload") return undefined;
      return asked.push(key) % 2 === 1 ? { kind: "lost" } : GONE;
    };
    await driver.commitStaged("/upload", "/blob", await driver.statStaged("/upload"));
    assert.deepEqual(
      asked.map((key) => key.split("/").at(-1)),
      ["upload", "upload", "blob", "blob"],
    );
    sameBytes(await content(driver, "/blob"), bytes);
  });

  test("an object of as many bytes that somebody else made between two tries of a completion is no blob", async () => {
    const [root, size] = [randomUUID(), 6 * MIB];
    const victim = await openThrough(proxy.port, PATIENCE, root);
    const other = await openThrough(gateway.port, PATIENCE, root);
    await victim.beginStaged("/upload");
    await using late = await other.writer("/upload", { append: true });
    await append(victim, Buffer.alloc(size, "a"));
    const staged = await victim.statStaged("/upload");
    let isDone = false;
    let replacing: Promise<void> | undefined;
    proxy.onRequest = (operation) => {
      if (operation !== "CompleteMultipartUpload") return undefined;
      replacing ??= late
        .write(Buffer.alloc(size, "b"))
        .then(() => late.commit())
        .then(() => {
          isDone = true;
        });
      return isDone ? GONE : INTERNAL;
    };
    await assert.rejects(victim.commitStaged("/upload", "/blob", staged), StorageError);
    await replacing;
    assert.ok(isDone);
    await assert.rejects(victim.stat("/blob"), PathNotFound);
  });
});

async function append(driver: S3Driver, bytes: Uint8Array): Promise<void> {
  await using writer = await driver.writer("/upload", { append: true });
  await writer.write(bytes);
  await writer.close();
}

async function openThrough(
  port: number,
  patience: typeof PATIENCE = PATIENCE,
  rootdirectory: string = randomUUID(),
): Promise<S3Driver> {
  const sizes = { chunksize: 5 * MIB, multipartcopythresholdsize: 6 * MIB, multipartcopychunksize: 5 * MIB };
  return await openS3(gatewayParameters(port, { ...sizes, rootdirectory }), { patience });
}

/** Each kind of request at least once, and what must have come of it. */
async function doEverything(driver: S3Driver, root: string): Promise<void> {
  const bytes = random(11 * MIB);
  const upload = `${root}/uploads/data`;
  await driver.beginStaged(upload);
  for (const [start, end] of [
    [0, 10],
    [10, 6 * MIB],
    [6 * MIB, 11 * MIB],
  ] as const) {
    await using writer = await driver.writer(upload, { append: true });
    assert.equal(writer.size, start);
    await writer.write(bytes.subarray(start, end));
    await writer.close();
    assert.equal((await driver.statStaged(upload)).version, writer.version);
  }
  await driver.commitStaged(upload, `${root}/blob`, await driver.statStaged(upload));
  await driver.putContent(`${root}/link`, Buffer.from("link"));
  await driver.move(`${root}/blob`, `${root}/moved`);
  await driver.delete(`${root}/uploads`);
  sameBytes(await content(driver, `${root}/moved`), bytes);
  sameBytes(await readAll(driver, `${root}/moved`, 5 * MIB), bytes.subarray(5 * MIB));
  assert.equal((await content(driver, `${root}/link`)).toString(), "link");
  assert.deepEqual((await driver.list(root)).sort(), ["link", "moved"]);
  assert.equal((await driver.stat(root)).isDirectory, true);
  await assert.rejects(driver.statStaged(upload), PathNotFound);
  await driver.delete(root);
  await assert.rejects(driver.list(root), PathNotFound);
}
