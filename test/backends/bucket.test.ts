/** What the S3 driver does beyond the contract of all drivers. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, beforeEach, describe, test } from "node:test";
import { ListMultipartUploadsCommand, S3Client } from "@aws-sdk/client-s3";
import { purgeUploads } from "../../src/maintenance/upload-purge.ts";
import { PathMapper } from "../../src/registry/paths.ts";
import { PathNotFound, WriteConflict } from "../../src/storage/errors.ts";
import { openS3, type S3Driver } from "../../src/storage/s3.ts";
import { content, random, sameBytes } from "../contract/driver-harness.ts";
import { type FaultProxy, startFaultProxy } from "../support/fault-proxy.ts";
import { BUCKET, type Gateway, gatewayParameters, startGateway } from "../support/versitygw.ts";

const MIB = 2 ** 20;
const SESSION = "/docker/registry/v2/repositories/a/_uploads/11111111-2222-4333-8444-555555555555";

describe("a bucket", () => {
  let gateway: Gateway;
  let proxy: FaultProxy;
  let root: string;
  let driver: S3Driver;
  before(async () => {
    gateway = await startGateway();
    proxy = await startFaultProxy(gateway.port);
  });
  beforeEach(async () => {
    root = randomUUID();
    driver = await open();
    proxy.forget();
  });
  after(async () => {
    await proxy[Symbol.asyncDispose]();
    await gateway[Symbol.asyncDispose]();
  });

  const open = (more: Readonly<Record<string, string | number>> = {}): Promise<S3Driver> =>
    openS3(gatewayParameters(proxy.port, { rootdirectory: root, ...more }));
  const count = (operation: string): number => proxy.requests.filter((one) => one.operation === operation).length;

  async function pendingKeys(): Promise<readonly string[]> {
    const { accesskey, secretkey, regionendpoint } = gateway.parameters() as Record<string, string>;
    const credentials = { accessKeyId: accesskey ?? "", secretAccessKey: secretkey ?? "" };
    const endpoint = regionendpoint ?? "";
    const client = new S3Client({ region: "us-east-1", endpoint, forcePathStyle: true, credentials });
    const { Uploads: uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }));
    client.destroy();
    return uploads.flatMap(({ Key }) => Key ?? []).filter((key) => key.startsWith(root));
  }

  async function begin(path: string, bytes: Uint8Array): Promise<void> {
    await using writer = await driver.writer(path, { append: true, create: true });
    await writer.write(bytes);
    await writer.close();
  }

  test("a bucket that is not there, and keys that are not its, are told at the start in one sentence", async () => {
    const none = openS3(gatewayParameters(proxy.port, { bucket: "elsewhere" }));
    await assert.rejects(none, { message: /^s3: cannot use the bucket s3:\/\/elsewhere\/: .*NoSuchBucket \(404\)/ });
    const wrong = openS3(gatewayParameters(proxy.port, { secretkey: "wrong" }));
    await assert.rejects(wrong, { message: /^s3: cannot use the bucket s3:\/\/registry\/: .*\(403\)/ });
  });

  test("folders of thousands of objects are listed whole, and deleted without their neighbours", async () => {
    const names = Array.from({ length: 2100 }, (_, index) => `tag-${index}`);
    for (let i = 0; i < names.length; i += 50) {
      await Promise.all(
        names.slice(i, i + 50).map((name) => driver.putContent(`/many/${name}/link`, Buffer.from("x"))),
      );
    }
    await driver.putContent("/many-more/link", Buffer.from("x"));
    await driver.putContent("/many.txt", Buffer.from("x"));
    assert.deepEqual((await driver.list("/many")).sort(), names.sort());
    proxy.forget();
    await driver.delete("/many");
    assert.equal(count("DeleteObjects"), 3 + 1); // the key itself first
    assert.deepEqual((await driver.list("/")).sort(), ["many-more", "many.txt"]);
    await assert.rejects(driver.list("/many"), PathNotFound);
  });

  test("names that begin alike are kept apart", async () => {
    for (const name of ["v1", "v1-rc", "v1.0", "v10", "v1_"]) {
      await driver.putContent(`/tags/${name}/current/link`, Buffer.from(name));
    }
    assert.deepEqual((await driver.list("/tags")).sort(), ["v1", "v1-rc", "v1.0", "v10", "v1_"]);
    await driver.delete("/tags/v1");
    assert.deepEqual((await driver.list("/tags")).sort(), ["v1-rc", "v1.0", "v10", "v1_"]);
    await assert.rejects(driver.stat("/tags/v1"), PathNotFound);
    await assert.rejects(driver.stat("/tags/v"), PathNotFound);
  });

  test("what is deleted takes uploads along that nobody finished, at it and below it", async () => {
    await begin("/folder/upload", random(10));
    await begin("/folder/deep/upload", random(6 * MIB));
    await begin("/folder-beside", random(10));
    assert.equal((await pendingKeys()).length, 3);
    await driver.delete("/folder");
    assert.deepEqual(await pendingKeys(), [`${root}/folder-beside`]);
    await assert.rejects(driver.delete("/folder"), PathNotFound);
    await driver.delete("/folder-beside");
    assert.deepEqual(await pendingKeys(), []);
  });

  test("purging a session aborts its multipart upload", async () => {
    await driver.putContent(`${SESSION}/startedat`, Buffer.from("2020-01-01T00:00:00Z"));
    await begin(`${SESSION}/data`, random(1000));
    const report = await purgeUploads(
      { driver, paths: new PathMapper() },
      { age: 1000, dryRun: false, now: Date.now() },
    );
    assert.deepEqual(report, { deleted: 1, errors: [] });
    assert.deepEqual(await pendingKeys(), []);
    assert.deepEqual(await driver.list("/"), []);
  });

  test("purging aborts the multipart upload of a session whose start a peer's purge removed", async () => {
    await begin(`${SESSION}/data`, random(1000));
    const purge = (age: number): Promise<unknown> =>
      purgeUploads({ driver, paths: new PathMapper() }, { age, dryRun: false, now: Date.now() + 60_000 });
    assert.deepEqual(await purge(3_600_000), { deleted: 0, errors: [] });
    assert.deepEqual(await purge(30_000), { deleted: 1, errors: [] });
    assert.deepEqual(await pendingKeys(), []);
  });

  test("big objects are copied in parts, small ones in one request, and none through us", async () => {
    driver = await open({ multipartcopythresholdsize: 6 * MIB, multipartcopychunksize: 5 * MIB });
    for (const [length, parts] of [
      [6 * MIB, 0],
      [6 * MIB + 1, 2],
      [15 * MIB, 3],
      [15 * MIB + 1, 4],
    ] as const) {
      const bytes = random(length);
      await driver.putContent("/source", bytes);
      proxy.forget();
      await driver.move("/source", "/target");
      assert.equal(count("UploadPartCopy"), parts);
      assert.equal(count("CopyObject"), parts === 0 ? 1 : 0);
      assert.ok(proxy.requests.every(({ sent, received }) => sent < 10_000 && received < 10_000));
      sameBytes(await content(driver, "/target"), bytes);
    }
  });

  test("an upload that is interrupted between its object and the next upload goes on from the object", async () => {
    for (const length of [1000, 5 * MIB]) {
      const bytes = random(length + 2000);
      await begin("/upload", bytes.subarray(0, length));
      await begin("/upload", bytes.subarray(length, length + 1000)); // behind a short part there is an object from now on
      await using committed = await driver.writer("/upload", { append: true });
      await committed.commit();
      await driver.beginStaged("/upload");
      const other = await open();
      assert.equal((await other.statStaged("/upload")).size, length + 1000);
      await using writer = await other.writer("/upload", { append: true });
      assert.equal(writer.size, length + 1000);
      await writer.write(bytes.subarray(length + 1000));
      await writer.commit();
      sameBytes(await content(driver, "/upload"), bytes);
      assert.deepEqual(await pendingKeys(), []);
      await driver.delete("/upload");
    }
  });

  test("of two writers at one place, each can tell whether its bytes are there", async () => {
    const other = await open();
    await driver.beginStaged("/upload");
    const [one, two] = [random(6 * MIB), random(6 * MIB)];
    await using first = await driver.writer("/upload", { append: true });
    await using second = await other.writer("/upload", { append: true });
    await first.write(one);
    await first.close();
    const acknowledged = await driver.statStaged("/upload");
    assert.equal(acknowledged.version, first.version);
    await second.write(two);
    await second.close();
    assert.equal((await other.statStaged("/upload")).version, second.version);
    assert.notEqual((await driver.statStaged("/upload")).version, first.version);
    await assert.rejects(driver.commitStaged("/upload", "/blob", acknowledged), WriteConflict);
    await assert.rejects(driver.stat("/blob"), PathNotFound);
    await other.commitStaged("/upload", "/blob", await other.statStaged("/upload"));
    sameBytes(await content(driver, "/blob"), two);
    await driver.delete("/upload");
  });

  test("the bytes of one version are read, or none", async () => {
    await driver.putContent("/object", Buffer.from("one"));
    const { version } = await driver.stat("/object");
    await using same = await driver.reader("/object", 1, { version });
    assert.equal(await same.read(Buffer.alloc(9)), 2);
    await driver.putContent("/object", Buffer.from("two"));
    await assert.rejects(driver.reader("/object", 0, { version }), WriteConflict);
    await driver.delete("/object");
    await assert.rejects(driver.reader("/object", 0, { version }), PathNotFound);
  });

  test("uploads that wait for their clients do not keep others from the memory", async () => {
    const parameters = gatewayParameters(proxy.port, { rootdirectory: root, chunksize: 5 * MIB });
    const small = await openS3(parameters, { memory: { budget: 0, tenure: 20 } });
    const contents = Array.from({ length: 6 }, (_, index) => random(index % 2 === 0 ? 3000 : 7 * MIB));
    const writers = await Promise.all(contents.map((_, i) => small.writer(`/upload-${i}`, { append: false })));
    for (const [i, writer] of writers.entries()) await writer.write(contents[i]?.subarray(0, 1000) ?? random(0));
    for (const [i, writer] of writers.entries()) await writer.write(contents[i]?.subarray(1000) ?? random(0));
    for (const writer of writers) await writer.commit();
    for (const [i, bytes] of contents.entries()) sameBytes(await content(driver, `/upload-${i}`), bytes);
  });

  test("clients are sent to a URL that gives the object, for its own method only", async () => {
    await driver.putContent("/folder/object", Buffer.from("content"));
    for (const method of ["GET", "HEAD"] as const) {
      const url = await driver.redirectUrl("/folder/object", { method });
      assert.equal(url?.searchParams.get("X-Amz-Expires"), "1200");
      assert.equal(url?.searchParams.get("X-Amz-SignedHeaders"), "host");
      const answer = await fetch(url ?? "", { method });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get("content-length"), "7");
      assert.equal(await answer.text(), method === "GET" ? "content" : "");
      const other = await fetch(url ?? "", { method: method === "GET" ? "HEAD" : "GET" });
      assert.equal(other.status, 403);
    }
    const url = await driver.redirectUrl("/folder/object", { method: "GET" });
    const part = await fetch(url ?? "", { headers: { Range: "bytes=3-" } });
    assert.deepEqual([part.status, await part.text()], [206, "tent"]);
  });

  test("clients are sent to another host where one is given, with a signature for it", async () => {
    const behind = await openS3(
      gatewayParameters(proxy.port, { rootdirectory: root, redirectendpoint: `http://localhost:${gateway.port}` }),
    );
    await behind.putContent("/object", Buffer.from("content"));
    const url = await behind.redirectUrl("/object", { method: "GET" });
    assert.equal(url?.origin, `http://localhost:${gateway.port}`);
    assert.equal(await (await fetch(url)).text(), "content");
  });
});
