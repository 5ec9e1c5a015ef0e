import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { EventTarget, RegistryEvent } from "../../src/notifications/event.ts";
import { observeRepository } from "../../src/notifications/observed-repository.ts";
import { type EventSink, Observer } from "../../src/notifications/observer.ts";
import { builtInKinds } from "../../src/oci/built-in-kinds.ts";
import { ManifestKinds } from "../../src/oci/manifest-kinds.ts";
import type { StorageDriver } from "../../src/storage/driver.ts";
import { MemoryDriver } from "../../src/storage/memory.ts";
import { type Api, type ApiOptions, startApi } from "../support/api.ts";
import { imageOf, indexOf, layerOfArchive, noise } from "../support/image.ts";
import { openRedirectingStorage } from "../support/redirecting-storage.ts";
import { RegistryClient } from "../support/registry-client.ts";
import { AMD64, ARM64 } from "../support/samples.ts";

const LAYER = layerOfArchive(noise(100, 1), "none");
const IMAGE = imageOf([LAYER]);
const { digest: BLOB } = LAYER.descriptor;
const { digest: DIGEST, mediaType: TYPE, size: SIZE } = IMAGE.manifest.descriptor;

const MANIFEST = { method: "PUT", body: IMAGE.manifest.bytes, headers: { "Content-Type": TYPE } };

/** What an image `n:v1` and an upload, whose path is "", allow. */
const CHANGES: readonly (readonly [
  what: string,
  path: string,
  send: { method: string; body?: Uint8Array; headers?: Record<string, string> },
])[] = [
  ["uploads a blob", `/v2/n/blobs/uploads/?digest=${BLOB}`, { method: "POST", body: LAYER.bytes }],
  ["ends an upload", "", { method: "PUT", body: LAYER.bytes }],
  ["mounts a blob", `/v2/other/blobs/uploads/?mount=${BLOB}&from=n`, { method: "POST" }],
  ["pushes a manifest by tag", "/v2/n/manifests/v2", MANIFEST],
  ["pushes a manifest by digest", `/v2/n/manifests/${DIGEST}`, MANIFEST],
  ["deletes a tag", "/v2/n/manifests/v1", { method: "DELETE" }],
  ["deletes a manifest", `/v2/n/manifests/${DIGEST}`, { method: "DELETE" }],
  ["deletes a blob", `/v2/n/blobs/${BLOB}`, { method: "DELETE" }],
];

/** A registry whose events come here. */
interface Observed extends AsyncDisposable {
  readonly api: Api;
  readonly http: RegistryClient;
  readonly events: RegistryEvent[];
  /** What came since it was asked last, a line each. */
  since(): readonly string[];
}

async function observed(
  options: ApiOptions = {},
  driver: StorageDriver = new MemoryDriver(),
  over: Partial<EventSink> & { readonly references?: boolean } = {},
): Promise<Observed> {
  const events: RegistryEvent[] = [];
  const sink: EventSink = {
    keep: async (all) => void events.push(...all),
    note: (event) => void events.push(event),
    complain: (message, error) => assert.fail(`${message}: ${error}`),
    ...over,
  };
  const kinds = new ManifestKinds(builtInKinds({ enabled: false }));
  const api = await startApi(driver, {
    ...options,
    observe: (repository, request, base) =>
      observeRepository(repository, new Observer({ kinds, references: over.references ?? false }, sink, request, base)),
  });
  return {
    api,
    http: new RegistryClient(api.origin),
    events,
    since: () => events.splice(0).map(toLine),
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
  };
}

function toLine({ action, target }: RegistryEvent): string {
  const { content, digest = content?.digest, repository, tag, fromRepository } = target;
  const from = fromRepository === undefined ? "" : ` from ${fromRepository}`;
  return `${action} ${repository}${tag ? `:${tag}` : ""}${digest ? `@${digest}` : ""}${from}`;
}

describe("what requests do is told", () => {
  test("of a push by tag when the tag is set, with what it is and where", async () => {
    await using registry = await observed();
    await registry.http.push("a/b", "v1", IMAGE);
    assert.deepEqual(registry.events.at(-1)?.target satisfies EventTarget | undefined, {
      repository: "a/b",
      content: { mediaType: TYPE, digest: DIGEST, size: SIZE },
      url: `${registry.api.origin}/v2/a/b/manifests/${DIGEST}`,
      tag: "v1",
    });
    const blobs = IMAGE.blobs.map(({ descriptor }) => `push a/b@${descriptor.digest}`);
    assert.deepEqual(registry.since(), [...blobs, `push a/b:v1@${DIGEST}`]);
  });

  test("of a push by digest once, and once for each tag that it sets", async () => {
    await using registry = await observed();
    await registry.http.push("a", DIGEST, IMAGE);
    assert.equal(registry.since().at(-1), `push a@${DIGEST}`);
    await registry.http.putManifest("a", `${DIGEST}?tag=one&tag=two`, IMAGE.manifest);
    assert.deepEqual(registry.since(), [`push a:one@${DIGEST}`, `push a:two@${DIGEST}`]);
  });

  test("of no push that is refused", async () => {
    await using registry = await observed();
    await registry.http.push("a", "v1", IMAGE);
    registry.since();
    const other = imageOf([LAYER], { annotations: { a: "b" } });
    const put = async (body: Uint8Array, headers: Record<string, string>): Promise<number> =>
      (await registry.api.send("PUT", "/v2/a/manifests/v1", { body, headers: { "Content-Type": TYPE, ...headers } }))
        .status;
    assert.equal(await put(other.manifest.bytes, { "If-None-Match": "*" }), 412);
    assert.equal(await put(Buffer.from("{}"), {}), 400);
    assert.deepEqual(registry.since(), []);
  });

  test("of a mount with the repository it came from, also where the client did not say", async () => {
    await using registry = await observed();
    await registry.http.pushBlob("from/here", LAYER);
    registry.since();
    for (const query of [`mount=${BLOB}&from=from/here`, `mount=${BLOB}`]) {
      assert.equal((await registry.api.send("POST", `/v2/to/blobs/uploads/?${query}`)).status, 201);
      assert.deepEqual(registry.since(), [`mount to@${BLOB} from from/here`]);
      await registry.http.delete("to", "blobs", BLOB);
      assert.deepEqual(registry.since(), [`delete to@${BLOB}`]);
    }
    await registry.api.send("POST", `/v2/to/blobs/uploads/?mount=${BLOB}&from=none`);
    assert.deepEqual(registry.since(), []);
  });

  test("of every way to upload a blob when it is one", async () => {
    await using registry = await observed();
    const { http, api } = registry;
    const started = await http.startUpload("a");
    const appended = await http.append(started, LAYER.bytes.subarray(0, 40));
    const more = await http.append(appended, LAYER.bytes.subarray(40), "streamed");
    assert.deepEqual(registry.since(), []);
    for (let i = 0; i < 2; i++) {
      await http.finishUpload(more, BLOB); // again, as after a lost answer: nobody knows whether it was told
      assert.deepEqual(registry.since(), [`push a@${BLOB}`]);
    }
    const path = `/v2/a/blobs/uploads/?digest=${BLOB}`;
    assert.equal((await api.send("POST", path, { body: LAYER.bytes })).status, 201);
    assert.deepEqual(registry.since(), [`push a@${BLOB}`]);
    await http.tryFinish(await http.startUpload("a"), BLOB, Buffer.from("others"));
    assert.equal((await http.at(await http.startUpload("a"), { method: "DELETE" })).status, 204);
    assert.deepEqual(registry.since(), []);
  });

  test("of a manifest's deletion, then of each tag that goes with it; of a tag's alone", async () => {
    await using registry = await observed();
    for (const tag of ["b", "a", "c"]) await registry.http.push("n", tag, IMAGE);
    registry.since();
    await registry.http.delete("n", "manifests", "c");
    assert.deepEqual(registry.since(), ["delete n:c"]);
    await registry.http.delete("n", "manifests", DIGEST);
    assert.deepEqual(registry.since(), [`delete n@${DIGEST}`, "delete n:a", "delete n:b"]);
    assert.equal((await registry.api.send("DELETE", `/v2/n/manifests/${DIGEST}`)).status, 404);
    assert.deepEqual(registry.since(), []);
  });

  test("of every pull, with the tag that was asked for; not of what is not changed or not there", async () => {
    await using registry = await observed();
    const { api } = registry;
    await registry.http.push("n", "v1", IMAGE);
    registry.since();
    for (const method of ["GET", "HEAD"]) {
      await api.send(method, "/v2/n/manifests/v1");
      await api.send(method, `/v2/n/manifests/${DIGEST}`);
      await api.send(method, `/v2/n/blobs/${BLOB}`);
      assert.deepEqual(registry.since(), [`pull n:v1@${DIGEST}`, `pull n@${DIGEST}`, `pull n@${BLOB}`]);
      await api.send(method, "/v2/n/manifests/v1", { headers: { "If-None-Match": `"${DIGEST}"` } });
      await api.send(method, "/v2/n/manifests/none");
      await api.send(method, `/v2/n/blobs/sha256:${"0".repeat(64)}`);
      for (const path of ["/v2/", "/v2/_catalog", "/v2/n/tags/list", `/v2/n/referrers/${DIGEST}`]) {
        await api.send(method, path);
      }
      assert.deepEqual(registry.since(), []);
    }
  });

  test("of a pull that a redirect sends elsewhere", async () => {
    await using storage = await openRedirectingStorage();
    await using registry = await observed({}, storage.driver);
    await registry.http.pushBlob("n", LAYER);
    registry.since();
    assert.equal((await registry.api.send("GET", `/v2/n/blobs/${BLOB}`)).status, 307);
    assert.deepEqual(registry.since(), [`pull n@${BLOB}`]);
  });

  test("with URLs as Location has them", async () => {
    for (const [options, base] of [
      [{ relative: true }, "/"],
      [{ host: "https://r.example/x/" }, "https://r.example/x/"],
      [{ relative: true, prefix: "/p/" }, "/p/"],
    ] as const) {
      await using registry = await observed(options);
      const prefix = "prefix" in options ? options.prefix : "/";
      const path = `${prefix}v2/n/blobs/uploads/?digest=${BLOB}`;
      const { headers } = await registry.api.send("POST", path, { body: LAYER.bytes });
      assert.equal(headers.location, `${base}v2/n/blobs/${BLOB}`);
      assert.equal(registry.events[0]?.target.url, headers.location);
    }
  });

  test("with what a manifest refers to, where that is asked for: configuration and layers, or children", async () => {
    await using registry = await observed({}, new MemoryDriver(), { references: true });
    const index = indexOf([
      [IMAGE, AMD64],
      [IMAGE, { ...ARM64, variant: "v8" }],
    ]);
    await registry.http.push("n", "index", index);
    await registry.api.send("GET", "/v2/n/manifests/index");
    const told = registry.events.filter(({ target }) => target.references).map(({ target }) => target.references);
    const children = [AMD64, { ...ARM64, variant: "v8" }].map((platform) => ({
      ...IMAGE.manifest.descriptor,
      platform,
    }));
    const blobs = IMAGE.blobs.map(({ descriptor }) => descriptor);
    assert.deepEqual(told, [blobs, blobs, children, children]);
  });

  test("with whose request it was", async () => {
    await using registry = await observed();
    const headers = { Authorization: `Basic ${btoa("alice:x")}`, "User-Agent": "docker/27", "X-Real-Ip": "10.0.0.9" };
    await registry.api.send("POST", `/v2/n/blobs/uploads/?digest=${BLOB}`, { body: LAYER.bytes, headers });
    const { id = "", ...request } = registry.events[0]?.request ?? {};
    assert.match(id, /^[0-9a-f-]{36}$/);
    assert.deepEqual(request, {
      address: "10.0.0.9",
      host: `127.0.0.1:${registry.api.port}`,
      method: "POST",
      userAgent: "docker/27",
      user: "alice",
    });
  });

  for (const [what, path, send] of CHANGES) {
    test(`before the answer, of a request that ${what}`, async () => {
      let gate: Promise<void> | undefined;
      let told = (): void => undefined;
      const keep = async (): Promise<void> => {
        told();
        await gate;
      };
      await using registry = await observed({}, new MemoryDriver(), { keep });
      await registry.http.push("n", "v1", IMAGE);
      const { location } = await registry.http.startUpload("n");
      const [asked, kept] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      [gate, told] = [kept.promise, asked.resolve];
      let answered = false;
      const answer = registry.api.send(send.method, path || `${location}&digest=${BLOB}`, send).finally(() => {
        answered = true;
      });
      await Promise.race([asked.promise, answer]);
      assert.equal((await registry.api.send("GET", "/v2/")).status, 200);
      assert.equal(answered, false);
      kept.resolve();
      assert.ok([201, 202].includes((await answer).status));
    });
  }

  test("not at all where it cannot be told, and the client gets what it asked for", async () => {
    const complaints: string[] = [];
    const note = (): never => {
      throw new Error("no");
    };
    const complain = (message: string, error: unknown): void => void complaints.push(`${message}: ${error}`);
    await using registry = await observed({}, new MemoryDriver(), { note, complain });
    await registry.http.push("n", "v1", IMAGE);
    assert.equal((await registry.api.send("GET", "/v2/n/manifests/v1")).status, 200);
    assert.deepEqual(complaints, ["a pull cannot be told: Error: no"]);
  });
});
