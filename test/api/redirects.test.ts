import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { test } from "node:test";
import { digestOf } from "../../src/oci/digest.ts";
import { PathMapper } from "../../src/registry/paths.ts";
import type { RedirectRequest } from "../../src/storage/driver.ts";
import { StorageError } from "../../src/storage/errors.ts";
import { openFilesystem } from "../../src/storage/filesystem.ts";
import { MemoryDriver } from "../../src/storage/memory.ts";
import { redirectToBase } from "../../src/storage/middleware/redirect.ts";
import { startApi } from "../support/api.ts";
import { expectError, pushBlob } from "../support/api-content.ts";
import { serveFolder } from "../support/file-server.ts";
import { contentOf } from "../support/image.ts";
import { openRedirectingStorage } from "../support/redirecting-storage.ts";
import { RegistryClient } from "../support/registry-client.ts";
import { startRegistry } from "../support/registry-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const BYTES = Buffer.from("0123456789");
const DIGEST = digestOf(BYTES);
const PATH = new PathMapper().blob(DIGEST);

test("a blob is answered with the storage's URL for just that method, and with its digest", async () => {
  await using storage = await openRedirectingStorage();
  await using api = await startApi(storage.driver, { headers: { "x-of-all": ["yes"] } });
  await pushBlob(api, "a", BYTES);
  for (const method of ["GET", "HEAD"]) {
    for (const headers of [{}, { Range: "bytes=2-3" }, { "If-None-Match": '"other"' }, { "If-Match": `"${DIGEST}"` }]) {
      const answer = await api.send(method, `/v2/a/blobs/${DIGEST}`, { headers });
      assert.equal(answer.status, 307);
      const { date: _date, connection: _connection, "keep-alive": _alive, ...rest } = answer.headers;
      assert.deepEqual(rest, {
        location: `${storage.origin}${PATH}?signed-for=${method}`,
        "content-type": "application/octet-stream",
        "content-length": "0",
        "docker-content-digest": DIGEST,
        "docker-distribution-api-version": "registry/2.0",
        "x-of-all": "yes",
      });
      assert.equal(answer.body.length, 0);
    }
  }
  const followed = await fetch(`${api.origin}/v2/a/blobs/${DIGEST}`);
  assert.equal(await followed.text(), "0123456789");
  assert.deepEqual(storage.requests, [`GET ${PATH}?signed-for=GET`]);
});

test("a blob without bytes is to be had from the storage, too", async () => {
  await using storage = await openRedirectingStorage();
  await using api = await startApi(storage.driver);
  const digest = await pushBlob(api, "a", Buffer.alloc(0));
  assert.equal((await api.send("GET", `/v2/a/blobs/${digest}`)).status, 307);
});

test("what needs no bytes is answered here: conditions, a blob that is unknown, a wrong digest", async () => {
  await using storage = await openRedirectingStorage();
  await using api = await startApi(storage.driver);
  await pushBlob(api, "a", BYTES);
  const url = `/v2/a/blobs/${DIGEST}`;
  const unchanged = await api.send("GET", url, { headers: { "If-None-Match": `"${DIGEST}"` } });
  assert.deepEqual([unchanged.status, unchanged.headers.location], [304, undefined]);
  assert.equal(unchanged.headers.etag, `"${DIGEST}"`);
  const refused = await api.send("GET", url, { headers: { "If-Match": '"other"' } });
  expectError(refused, 412, "PRECONDITION_FAILED");
  assert.equal(refused.headers.location, undefined);
  expectError(await api.send("GET", `/v2/b/blobs/${DIGEST}`), 404, "BLOB_UNKNOWN");
  expectError(await api.send("GET", "/v2/a/blobs/sha256:x"), 400, "DIGEST_INVALID");
});

test("the storage is told which client asks, as far as proxies tell it", async () => {
  const asked: RedirectRequest[] = [];
  const redirectUrl = async (_path: string, request: RedirectRequest): Promise<URL> => {
    asked.push(request);
    return new URL("http://elsewhere.test");
  };
  await using api = await startApi(Object.assign(new MemoryDriver(), { redirectUrl }));
  await pushBlob(api, "a", BYTES);
  await api.send("GET", `/v2/a/blobs/${DIGEST}`);
  await api.send("HEAD", `/v2/a/blobs/${DIGEST}`, { headers: { "X-Forwarded-For": "198.51.100.7, 10.0.0.1" } });
  assert.deepEqual(asked, [
    { method: "GET", client: "127.0.0.1" },
    { method: "HEAD", client: "198.51.100.7" },
  ]);
});

test("a client repeats its request at a server of the same folder, with its range", async () => {
  await using folder = await temporaryFolder("redirects");
  await using files = await serveFolder(folder.path);
  const driver = await openFilesystem({ rootdirectory: folder.path });
  await using api = await startApi(redirectToBase(driver, { baseurl: new URL(files.origin) }));
  await pushBlob(api, "a", BYTES);
  const url = `${api.origin}/v2/a/blobs/${DIGEST}`;
  const part = await fetch(url, { headers: { Range: "bytes=4-" } });
  assert.deepEqual(
    [part.status, part.headers.get("content-range"), await part.text()],
    [206, "bytes 4-9/10", "456789"],
  );
  const head = await fetch(url, { method: "HEAD" });
  assert.deepEqual([head.status, head.headers.get("content-length")], [200, "10"]);
  const unchanged = await fetch(url, { headers: { "If-None-Match": `"${DIGEST}"` } });
  assert.equal(unchanged.status, 304);
  assert.deepEqual(files.requests, [`GET ${PATH} bytes=4-`, `HEAD ${PATH}`]);
});

test("blobs are sent from here where redirects are off, where the storage has no URL, and where it fails to make one", async () => {
  const elsewhere = async (): Promise<URL> => new URL("http://elsewhere.test");
  for (const [redirect, redirectUrl] of [
    [false, elsewhere],
    [true, async () => undefined],
    [true, () => Promise.reject(new StorageError("inmemory", "no key to sign with"))],
  ] as const) {
    await using api = await startApi(Object.assign(new MemoryDriver(), { redirectUrl }), { redirect });
    await pushBlob(api, "a", BYTES);
    const answer = await api.send("GET", `/v2/a/blobs/${DIGEST}`, { headers: { Range: "bytes=2-3" } });
    assert.deepEqual([answer.status, answer.body.toString()], [206, "23"]);
    assert.equal(answer.headers.location, undefined);
  }
});

test("a server redirects unless its configuration says otherwise", async () => {
  await using folder = await temporaryFolder("redirects");
  const memory = JSON.stringify(import.meta.resolve("../../src/storage/memory.ts"));
  const driver = `import { MemoryDriver } from ${memory};
    const redirectUrl = async (path) => new URL(path, "http://elsewhere.test");
    export const openDriver = () => Object.assign(new MemoryDriver(), { redirectUrl });`;
  await writeFile(folder.join("driver.mjs"), driver);
  const blob = contentOf(BYTES, "application/octet-stream");
  for (const [redirect, status] of [
    [{}, 307],
    [{ redirect: { disable: false } }, 307],
    [{ redirect: { disable: true } }, 200],
  ] as const) {
    const own = { [folder.join("driver.mjs")]: {} };
    const options = { rootDirectory: "", driver: own, configuration: { storage: redirect } };
    await using registry = await startRegistry("wharfinger", options);
    const client = new RegistryClient(registry.url);
    await client.pushBlob("a", blob);
    assert.equal((await client.request(`a/blobs/${DIGEST}`, { redirect: "manual" })).status, status);
  }
});
