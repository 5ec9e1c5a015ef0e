import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { digestOf } from "../../src/oci/digest.ts";
import { PathMapper } from "../../src/registry/paths.ts";
import { StorageError, StorageFull } from "../../src/storage/errors.ts";
import { MemoryDriver } from "../../src/storage/memory.ts";
import { type Api, startApi } from "../support/api.ts";
import {
  expectError,
  imageDocument,
  json,
  locationOf,
  noise,
  pushBlob,
  pushImage,
  putManifest,
  startUpload,
} from "../support/api-content.ts";
import { type DriverCall, type FailingDriver, failingDriver } from "../support/failing-driver.ts";

const PATHS = new PathMapper();

const READS: readonly DriverCall[] = ["getContent", "reader", "stat", "list"];
const WRITES: readonly DriverCall[] = ["putContent", "writer", "move", "delete"];
const BYTES = Buffer.from("0123456789");

test("a storage that fails is a passing error that says nothing of paths, and is logged", async () => {
  const { storage, api } = await start();
  await using _ = api;
  const image = await pushImage(api, "a", { reference: "t" });
  const { digest } = image.document["config"] as { digest: string };
  for (const call of READS) storage.fail(call, (path) => new StorageError("memory", `broken at ${path}`));
  const targets = [
    "/v2/_catalog",
    "/v2/a/tags/list",
    "/v2/a/manifests/t",
    `/v2/a/manifests/${image.digest}`,
    `/v2/a/blobs/${digest}`,
    `/v2/a/referrers/${digest}`,
    "/v2/a/blobs/uploads/6ba7b810-9dad-41d1-80b4-00c04fd430c8",
  ];
  for (const target of targets) {
    const answer = await api.send("GET", target);
    expectError(answer, 503, "UNAVAILABLE");
    assert.equal(answer.headers["retry-after"], "5");
    assert.doesNotMatch(answer.body.toString(), /docker|registry\/v2|broken/);
    assert.match(api.log.at(-1) ?? "", /level=error .*broken at/);
  }
  assert.equal(api.log.filter((line) => line.includes("level=error")).length, targets.length);
  storage.mend();
  assert.equal((await api.send("GET", "/v2/a/manifests/t")).status, 200);
});

test("what nobody has thought of is an error of ours that says nothing", async () => {
  const { storage, api } = await start();
  await using _ = api;
  storage.fail("list", () => new TypeError("secret of the program"));
  const answer = await api.send("GET", "/v2/_catalog");
  expectError(answer, 500, "UNKNOWN");
  assert.doesNotMatch(answer.body.toString(), /secret/);
  assert.match(api.log.at(-1) ?? "", /secret of the program/);
});

test("a full storage refuses what is pushed with a clear sentence, and takes it when there is room", async () => {
  const { storage, api } = await start();
  await using _ = api;
  const digest = digestOf(BYTES);
  const document = await imageDocument(api, "a");
  const session = await startUpload(api, "a");
  for (const call of WRITES) storage.fail(call, () => new StorageFull("memory"));
  for (const answer of [
    await api.send("POST", "/v2/a/blobs/uploads/"),
    await api.send("PATCH", session, { body: BYTES }),
    await api.send("PUT", `${session}&digest=${digest}`, { body: BYTES }),
    await putManifest(api, "a", "t", document, String(document["mediaType"])),
  ]) {
    assert.match(String(expectError(answer, 503, "UNAVAILABLE")), /storage is full/);
    assert.equal(answer.headers["retry-after"], "5");
  }
  storage.mend();
  assert.equal((await api.send("PUT", `${session}&digest=${digest}`, { body: BYTES })).status, 201);
  assert.equal((await putManifest(api, "a", "t", document, String(document["mediaType"]))).status, 201);
});

test("a mount that fails for the storage's sake is an error and no upload", async () => {
  const { storage, api } = await start();
  await using _ = api;
  const digest = await pushBlob(api, "from", BYTES);
  storage.fail("stat", () => new StorageError("memory", "broken"));
  const target = `/v2/a/blobs/uploads/?mount=${digest}`;
  for (const query of ["", "&from=from"]) expectError(await api.send("POST", target + query), 503, "UNAVAILABLE");
  assert.ok(!(await api.driver.list("/docker/registry/v2/repositories")).includes("a"));
});

for (const call of ["move", "putContent"] as const) {
  test(`an upload whose ${call} fails at the end can be finished again`, async () => {
    const { storage, api } = await start();
    await using _ = api;
    const digest = digestOf(BYTES);
    const session = locationOf(await api.send("PATCH", await startUpload(api, "a"), { body: BYTES }));
    storage.fail(call, () => new StorageError("memory", "broken"));
    expectError(await api.send("PUT", `${session}&digest=${digest}`), 503, "UNAVAILABLE");
    storage.mend();
    expectError(await api.send("GET", `/v2/a/blobs/${digest}`), 404, "BLOB_UNKNOWN");
    const again = await api.send("PUT", `${session}&digest=${digest}`);
    if (call === "move") assert.equal(again.status, 201);
    else assert.equal((await pushBlob(api, "a", BYTES)).length, 71);
    assert.equal((await api.send("GET", `/v2/a/blobs/${digest}`)).body.toString(), "0123456789");
  });
}

test("a manifest that could not be stored whole is not there, and no tag points at it", async () => {
  const { storage, api } = await start();
  await using _ = api;
  const document = await imageDocument(api, "a");
  const digest = digestOf(Buffer.from(JSON.stringify(document)));
  for (const part of ["/data", "/revisions/", "/index/", "/current/"]) {
    storage.fail("putContent", (path) => (path.includes(part) ? new StorageError("memory", "broken") : undefined));
    expectError(await putManifest(api, "a", "t", document, String(document["mediaType"])), 503, "UNAVAILABLE");
    storage.mend();
    expectError(await api.send("GET", "/v2/a/manifests/t"), 404, "MANIFEST_UNKNOWN");
    if (part === "/data") expectError(await api.send("GET", `/v2/a/manifests/${digest}`), 404, "MANIFEST_UNKNOWN");
    assert.deepEqual(json(await api.send("GET", "/v2/a/tags/list")), { name: "a", tags: [] });
  }
  assert.equal((await putManifest(api, "a", "t", document, String(document["mediaType"]))).status, 201);
});

test("a blob that cannot be opened any more is an error without the blob's headers", async () => {
  const { storage, api } = await start();
  await using _ = api;
  const digest = await pushBlob(api, "a", BYTES);
  storage.fail("reader", () => new StorageError("memory", "broken"));
  for (const range of [undefined, "bytes=0-3", "bytes=0-1,3-4"]) {
    const answer = await api.send("GET", `/v2/a/blobs/${digest}`, { headers: { ...(range && { Range: range }) } });
    expectError(answer, 503, "UNAVAILABLE");
    for (const name of ["etag", "cache-control", "accept-ranges", "docker-content-digest", "content-range"]) {
      assert.equal(answer.headers[name], undefined, name);
    }
  }
});

for (const size of [1000, 1_000_000]) {
  test(`a blob of ${size} bytes that ends early is never taken for the whole`, async () => {
    const { api } = await start();
    await using _ = api;
    const bytes = noise(size);
    const digest = await pushBlob(api, "a", bytes);
    api.driver.stat = async () => ({ size: size + 10, isDirectory: false });
    const answer = api.send("GET", `/v2/a/blobs/${digest}`);
    await assert.rejects(answer, { code: "ECONNRESET" });
    assert.match(api.log.at(-1) ?? "", /could not be sent whole/);
  });
}

test("a failure while a blob of several parts is sent drops the connection", async () => {
  const { storage, api } = await start();
  await using _ = api;
  const digest = await pushBlob(api, "a", BYTES);
  let opened = 0;
  storage.fail("reader", (path) => (path === PATHS.blob(digest) && ++opened > 1 ? new Error("broken") : undefined));
  const headers = { Range: "bytes=0-1,4-5" };
  await assert.rejects(api.send("GET", `/v2/a/blobs/${digest}`, { headers }), { code: "ECONNRESET" });
});

test("garbage behind a request does not get into the answer that is being sent", async () => {
  const { api } = await start();
  await using _ = api;
  const bytes = Buffer.alloc(8 * 1024 * 1024, "x");
  const digest = await pushBlob(api, "a", bytes);
  const received = await new Promise<Buffer>((resolve) => {
    const parts: Buffer[] = [];
    const socket = connect(api.port, "127.0.0.1");
    socket.once("data", () => socket.write("\0\0garbage\r\n\r\n"));
    socket.on("data", (part) => parts.push(part as Buffer));
    socket.on("error", () => undefined).once("close", () => resolve(Buffer.concat(parts)));
    socket.write(`GET /v2/a/blobs/${digest} HTTP/1.1\r\nHost: x\r\n\r\n`);
  });
  const body = received.subarray(received.indexOf("\r\n\r\n") + 4);
  assert.equal(Buffer.compare(body.subarray(0, bytes.length), bytes), 0);
  assert.match(body.subarray(bytes.length).toString(), /^HTTP\/1\.1 400 Bad Request\r\n/);
});

async function start(): Promise<{ storage: FailingDriver; api: Api }> {
  const storage = failingDriver(new MemoryDriver());
  return { storage, api: await startApi(storage.driver, { faulty: true }) };
}
