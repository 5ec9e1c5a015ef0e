import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import {
  type AccessController,
  type BlobDigest,
  BlobUnknown,
  blobHandler,
  createHandler,
  type Digest,
  digestOf,
  type HandlerOptions,
  MediaType,
  MemoryDriver,
  openRegistry,
  PathMapper,
  parseRepositoryName,
  type Registry,
  Unauthorized,
  Unsupported,
} from "../src/index.ts";
import { openRedirectingStorage } from "./support/redirecting-storage.ts";
import { run } from "./support/run.ts";
import { ServerProcess } from "./support/server-process.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

const EXAMPLES = join(import.meta.dirname, "..", "examples");
const NAME = parseRepositoryName("a/b");
const BYTES = Buffer.from("some bytes");

test("a program stores and reads blobs without HTTP", async () => {
  await using registry = openRegistry({ driver: new MemoryDriver() });
  const digest = await store(registry, BYTES);
  const blob = await registry.repository(NAME).blobs.open(digest);
  await using reader = await blob.read({ start: 5, length: 5 });
  const into = Buffer.alloc(16);
  assert.equal(into.subarray(0, await reader.read(into)).toString(), "bytes");
  assert.equal(await reader.read(into), 0);
});

test("a handler ends each answer in the asynchronous context of its request", async () => {
  await using registry = openRegistry({ driver: new MemoryDriver() });
  await using api = await createHandler(registry);
  const context = new AsyncLocalStorage<unknown>();
  const seen: boolean[] = [];
  const server = createServer((request, response) => {
    context.run(request, () => {
      response.once("finish", () => seen.push(context.getStore() === request));
      api(request, response);
    });
  });
  await once(server.listen(0), "listening");
  const { port } = server.address() as AddressInfo;
  const clients = Array.from({ length: 16 }, () => connect(port, "localhost"));
  try {
    for (const client of clients) client.write("GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n"); // lets the connections be made
    await Promise.all(clients.map((client) => once(client, "data")));
    for (const client of clients) client.write("GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n");
    await Promise.all(clients.map((client) => once(client, "data")));
    assert.deepEqual(
      seen,
      [...clients, ...clients].map(() => true),
    );
  } finally {
    for (const client of clients) client.destroy();
    server.close();
  }
});

test("a handler lets in whom its access controller grants it", async () => {
  await using registry = openRegistry({ driver: new MemoryDriver() });
  const access: AccessController = {
    name: "own",
    authorize: ({ headers }, needed) => {
      if (headers.authorization === "Own key") return { user: "me" };
      throw new Unauthorized("Own", needed);
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
  await using api = await createHandler(registry, { access });
  const server = createServer(api);
  await once(server.listen(0), "listening");
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`;
  try {
    const refused = await fetch(`${origin}/v2/`);
    assert.deepEqual([refused.status, refused.headers.get("www-authenticate")], [401, "Own"]);
    assert.equal((await fetch(`${origin}/v2/`, { headers: { authorization: "Own key" } })).status, 200);
  } finally {
    server.closeAllConnections();
    server.close();
  }
  await assert.rejects(
    createHandler(registry, { access: { name: "half" } as AccessController }),
    /access is no access controller: it lacks authorize, \[Symbol.asyncDispose\]/,
  );
});

test("deletion is off unless it is asked for", async () => {
  for (const deletion of [undefined, false, true]) {
    await using registry = openRegistry({ driver: new MemoryDriver(), ...(deletion !== undefined && { deletion }) });
    const digest = await store(registry, BYTES);
    const { blobs } = registry.repository(NAME);
    if (deletion) {
      await blobs.delete(digest);
      await assert.rejects(blobs.open(digest), BlobUnknown);
    } else {
      await assert.rejects(blobs.delete(digest), Unsupported);
    }
  }
});

test("a handler serves the API in a server that has pages of its own", async () => {
  await using registry = openRegistry({ driver: new MemoryDriver() });
  const digest = await store(registry, BYTES);
  await using api = await createHandler(registry, { prefix: "/registry/" });
  const server = createServer((request, response) => {
    if (request.url?.startsWith("/registry/")) api(request, response);
    else response.end("a page");
  });
  await once(server.listen(0), "listening");
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`;
  try {
    assert.equal(await (await fetch(`${origin}/`)).text(), "a page");
    const blob = await fetch(`${origin}/registry/v2/a/b/blobs/${digest}`);
    assert.equal(await blob.text(), "some bytes");
    assert.equal(blob.headers.get("docker-content-digest"), digest);
    const started = await fetch(`${origin}/registry/v2/a/b/blobs/uploads/`, { method: "POST" });
    assert.ok(started.headers.get("location")?.startsWith(`${origin}/registry/v2/a/b/blobs/uploads/`));
    assert.equal((await fetch(`${origin}/registry/v2/a/b/blobs/${digest}`, { method: "DELETE" })).status, 405);
    assert.equal((await fetch(`${origin}/registry/elsewhere`)).status, 404);
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

test("a handler that was disposed of answers 503, and one is not made of options that mean nothing", async () => {
  await using registry = openRegistry({ driver: new MemoryDriver() });
  const api = await createHandler(registry);
  await using server = await listen(api);
  assert.equal((await fetch(`${server.origin}/v2/`)).status, 200);
  await api[Symbol.asyncDispose]();
  const answer = await fetch(`${server.origin}/v2/`);
  assert.deepEqual([answer.status, answer.headers.get("retry-after")], [503, "5"]);
  assert.match(await answer.text(), /"UNAVAILABLE".*the registry was closed/);
  const wrong: readonly HandlerOptions[] = [
    { prefix: "x" },
    { prefix: "/x" },
    { secret: "" },
    { maxEntries: -1 },
    { maxTags: Number.NaN },
    { stall: 0.5 },
  ];
  for (const options of wrong) {
    const [name = ""] = Object.keys(options);
    await assert.rejects(createHandler(registry, options), { name: "TypeError", message: new RegExp(`^${name} must`) });
  }
  assert.throws(
    () => openRegistry({ driver: { name: "x" } as never }),
    /no storage driver: it lacks location, getContent/,
  );
});

test("a path mapper that is passed in says where everything lies", async () => {
  class FlatBlobs extends PathMapper {
    override blob(digest: BlobDigest): string {
      return `${this.root}/flat/${digest.replace(":", "-")}`;
    }
  }
  const driver = new MemoryDriver();
  await using registry = openRegistry({ driver, paths: new FlatBlobs("/elsewhere") });
  const digest = await store(registry, BYTES);
  assert.equal(await registry.repository(NAME).blobs.has(digest), true);
  assert.deepEqual(await Array.fromAsync(registry.repositories()), [NAME]);
  assert.deepEqual(Buffer.from(await driver.getContent(`/elsewhere/flat/${digest.replace(":", "-")}`)), BYTES);
  assert.deepEqual(await driver.list("/"), ["elsewhere"]);
});

test("a program finds every manifest, tagged or not, and goes on after one", async () => {
  await using registry = openRegistry({ driver: new MemoryDriver(), deletion: true });
  const { manifests } = registry.repository(NAME);
  const digests: Digest[] = [];
  for (const n of [1, 2, 3, 4]) {
    const document = { schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: [], annotations: { n: String(n) } };
    const bytes = Buffer.from(JSON.stringify(document));
    const digest = digestOf(bytes, n === 4 ? "sha512" : "sha256");
    await manifests.put(registry.kinds.parse(bytes, undefined), digest);
    digests.push(digest);
  }
  digests.sort();
  assert.deepEqual(await Array.fromAsync(manifests.list()), digests);
  assert.deepEqual(await Array.fromAsync(manifests.list({ after: digests[1] })), digests.slice(2));
  await manifests.delete(digests[0] as Digest);
  assert.deepEqual(await Array.fromAsync(manifests.list()), digests.slice(1));
});

test("a handler for one blob answers wherever the program puts it", async () => {
  const driver = new MemoryDriver();
  await using registry = openRegistry({ driver });
  const digest = await store(registry, BYTES);
  const blob = await registry.repository(NAME).blobs.open(digest);
  const server = createServer((request, response) => void blobHandler(blob)(request, response));
  await once(server.listen(0), "listening");
  const url = `http://localhost:${(server.address() as AddressInfo).port}/download/latest`;
  const ask = (method: string, headers = {}): Promise<Response> => fetch(url, { method, headers });
  try {
    const whole = await ask("GET");
    assert.equal(await whole.text(), "some bytes");
    assert.equal(whole.headers.get("docker-content-digest"), digest);
    const part = await ask("GET", { Range: "bytes=5-" });
    assert.deepEqual([part.status, await part.text()], [206, "bytes"]);
    const [head, unchanged, wrong, post] = [
      await ask("HEAD"),
      await ask("GET", { "If-None-Match": `"${digest}"` }),
      await ask("GET", { "If-Match": '"other"' }),
      await ask("POST"),
    ];
    assert.deepEqual([head.status, head.headers.get("content-length"), await head.text()], [200, "10", ""]);
    assert.deepEqual([unchanged.status, wrong.status, post.status], [304, 412, 405]);
    await driver.delete("/docker");
    assert.match(await (await ask("GET")).text(), /BLOB_UNKNOWN/);
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

test("a program that closes its registry before its server gets clear answers, and its blob handler redirects", async () => {
  await using storage = await openRedirectingStorage();
  const registry = openRegistry({ driver: storage.driver });
  const digest = await store(registry, BYTES);
  const blob = await registry.repository(NAME).blobs.open(digest);
  await using api = await createHandler(registry);
  const server = createServer((request, response) => {
    if (request.url?.startsWith("/v2/")) api(request, response);
    else void blobHandler(blob)(request, response);
  });
  await once(server.listen(0), "listening");
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`;
  try {
    const redirected = await fetch(`${origin}/download`, { redirect: "manual" });
    assert.equal(redirected.status, 307);
    assert.equal(redirected.headers.get("docker-content-digest"), digest);
    assert.equal(await (await fetch(`${origin}/download`)).text(), "some bytes");
    await registry[Symbol.asyncDispose]();
    for (const path of ["/download", `/v2/a/b/blobs/${digest}`, "/v2/a/b/tags/list", "/v2/_catalog"]) {
      const answer = await fetch(`${origin}${path}`);
      assert.deepEqual([answer.status, answer.headers.get("retry-after")], [503, "5"], path);
      assert.match(await answer.text(), /UNAVAILABLE.*the registry was closed/);
    }
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

test("the example with one blob reads it in places and serves it", async () => {
  const args = ["--conditions=source", join(EXAMPLES, "one-blob.ts"), "0"];
  await using program = new ServerProcess(process.execPath, args);
  await program.says(/listening on \d+/);
  assert.match(program.log, /^24 bytes, stored in \d{4}\nkeeper\nwharf\n/);
  const url = `http://localhost:${/listening on (\d+)/.exec(program.log)?.[1]}/any/path`;
  const part = await fetch(url, { headers: { Range: "bytes=4-9" } });
  assert.deepEqual([part.status, await part.text()], [206, "keeper"]);
  assert.equal(await program.stop(), 0);
});

test("the example without HTTP prints what it stored", async () => {
  const printed = await run(process.execPath, ["--conditions=source", join(EXAMPLES, "without-http.ts")]);
  assert.match(printed, /^library\/hello:v1 is application\/vnd\.oci\.image\.manifest\.v1\+json, \d+ bytes\n$/);
});

test("the example with its own server serves its page and the API, and ends at SIGTERM", async () => {
  await using folder = await temporaryFolder("library");
  const args = ["--conditions=source", join(EXAMPLES, "own-server.ts"), folder.path, "0"];
  await using program = new ServerProcess(process.execPath, args);
  await program.says(/listening on \d+/);
  const origin = `http://localhost:${/listening on (\d+)/.exec(program.log)?.[1]}`;
  assert.match(await (await fetch(`${origin}/`)).text(), /registry under \/v2\//);
  assert.equal(await (await fetch(`${origin}/v2/`)).text(), "{}");
  assert.equal(await program.stop(), 0);
});

async function store(registry: Registry, bytes: Uint8Array): Promise<Digest> {
  const upload = await registry.repository(NAME).uploads.start();
  const whole = await upload.append(
    (async function* () {
      yield bytes;
    })(),
  );
  return (await whole.commit(digestOf(bytes))).digest;
}

async function listen(handler: RequestListener): Promise<AsyncDisposable & { readonly origin: string }> {
  const server = createServer(handler);
  await once(server.listen(0), "listening");
  return {
    origin: `http://localhost:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}
