import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type DescriptorCache, SHARED_LIFETIME } from "../../src/cache/descriptor-cache.ts";
import { MemoryCache } from "../../src/cache/memory.ts";
import { openRegistry } from "../../src/library.ts";
import { digestOf } from "../../src/oci/digest.ts";
import { RegistryClosed } from "../../src/oci/errors.ts";
import { MediaType } from "../../src/oci/media-types.ts";
import { parseRepositoryName } from "../../src/oci/names.ts";
import { PathMapper } from "../../src/registry/paths.ts";
import type { StorageDriver } from "../../src/storage/driver.ts";
import { emptyStorage } from "../contract/registry.ts";
import { type Api, type ApiOptions, startApi } from "../support/api.ts";
import {
  expectError,
  noise,
  pushBlob,
  pushImage,
  putManifest,
  sameBytes,
  startUpload,
} from "../support/api-content.ts";
import { type CountingDriver, countingDriver } from "../support/counting-driver.ts";
import { gatedDriver } from "../support/gated-driver.ts";
import { tarEntry, tarOf } from "../support/tar.ts";
import { tarsumByHand } from "../support/tarsum.ts";

const BYTES = noise(5000);
const DIGEST = digestOf(BYTES);
const [A, B] = [parseRepositoryName("a"), parseRepositoryName("b")];
const paths = new PathMapper();

interface Place extends AsyncDisposable {
  readonly api: Api;
  readonly storage: StorageDriver;
  readonly cache: MemoryCache;
  readonly counting: CountingDriver;
}

async function openPlace(options: ApiOptions = {}): Promise<Place> {
  const storage = await emptyStorage();
  const counting = countingDriver(storage);
  const cache = new MemoryCache({ entries: 100 });
  const api = await startApi(counting.driver, { cache, ...options });
  return { api, storage, cache, counting, [Symbol.asyncDispose]: () => api[Symbol.asyncDispose]() };
}

describe("with a warm cache", () => {
  test("a HEAD of a blob asks the storage nothing, and a GET opens it and no more", async () => {
    await using place = await openPlace();
    const { api, counting } = place;
    await pushBlob(api, "a", BYTES);
    counting.forget();
    const head = await api.send("HEAD", `/v2/a/blobs/${DIGEST}`);
    assert.deepEqual([head.status, head.headers["content-length"]], [200, "5000"]);
    assert.deepEqual(counting.calls, []);
    sameBytes((await api.send("GET", `/v2/a/blobs/${DIGEST}`)).body, BYTES);
    assert.deepEqual(counting.calls, [`reader ${paths.blob(DIGEST)}`]);
  });

  test("a HEAD of a blob that somebody else pushed asks the storage once", async () => {
    await using place = await openPlace();
    await using other = await startApi(place.storage);
    await pushBlob(other, "a", BYTES);
    await place.api.send("HEAD", `/v2/a/blobs/${DIGEST}`);
    assert.deepEqual(place.counting.calls, [`getContent ${paths.layerLink(A, DIGEST)}`, `stat ${paths.blob(DIGEST)}`]);
    place.counting.forget();
    assert.equal((await place.api.send("HEAD", `/v2/a/blobs/${DIGEST}`)).status, 200);
    assert.deepEqual(place.counting.calls, []);
  });

  test("a manifest by its digest asks the storage nothing, nor does one that did not change", async () => {
    await using place = await openPlace();
    const { api, counting } = place;
    const image = await pushImage(api, "a", { layers: [BYTES] });
    const target = `/v2/a/manifests/${image.digest}`;
    await api.send("GET", target);
    counting.forget();
    for (const method of ["GET", "HEAD"]) {
      const answer = await api.send(method, target);
      assert.deepEqual([answer.status, answer.headers["content-type"]], [200, MediaType.ociManifest]);
      if (method === "GET") sameBytes(answer.body, image.bytes);
    }
    const unchanged = await api.send("GET", target, { headers: { "If-None-Match": `"${image.digest}"` } });
    assert.equal(unchanged.status, 304);
    assert.deepEqual(counting.calls, []);
  });

  test("a manifest by its tag asks the storage what the tag points at", async () => {
    await using place = await openPlace();
    const { api, counting } = place;
    const image = await pushImage(api, "a", { reference: "t" });
    await api.send("GET", "/v2/a/manifests/t");
    counting.forget();
    sameBytes((await api.send("GET", "/v2/a/manifests/t")).body, image.bytes);
    assert.equal(counting.calls.length, 1);
    assert.match(counting.calls[0] ?? "", /tags\/t\/current\/link$/);
  });

  for (const exclusive of [false, true]) {
    test(`a push of a manifest looks its references up in the ${exclusive ? "cache where nobody else writes" : "storage"}`, async () => {
      await using place = await openPlace({ exclusive });
      const { api, counting } = place;
      const image = await pushImage(api, "a", { layers: [BYTES, noise(10)] });
      counting.forget();
      const answer = await putManifest(api, "a", image.digest, image.bytes, MediaType.ociManifest);
      assert.equal(answer.status, 201);
      const looks = exclusive ? 0 : 3;
      assert.deepEqual([counting.count("stat", /blobs/), counting.count("getContent", /_layers/)], [looks, looks]);
    });
  }
});

test("without a cache every look asks the storage, and a manifest's bytes are read once", async () => {
  const counting = countingDriver(await emptyStorage());
  await using api = await startApi(counting.driver);
  const image = await pushImage(api, "a", { layers: [BYTES] });
  await api.send("GET", `/v2/a/manifests/${image.digest}`);
  counting.forget();
  await api.send("HEAD", `/v2/a/blobs/${DIGEST}`);
  await api.send("GET", `/v2/a/manifests/${image.digest}`);
  assert.deepEqual(counting.calls, [
    `getContent ${paths.layerLink(A, DIGEST)}`,
    `stat ${paths.blob(DIGEST)}`,
    `getContent ${paths.revisionLink(A, image.digest)}`,
  ]);
});

test("a tarsum names in each repository what was pushed there, whatever bytes it names in others", async () => {
  await using place = await openPlace();
  const tars = [1, 2].map((mtime) => tarOf([tarEntry({ name: "a", mtime }, "the time is not part of the sum")]));
  const [sum = "", other] = tars.map((tar) => tarsumByHand(tar, "v1"));
  assert.equal(sum, other);
  for (const [index, body] of tars.entries()) {
    const session = await startUpload(place.api, `r${index}`);
    const answer = await place.api.send("PUT", `${session}&digest=${encodeURIComponent(sum)}`, { body });
    assert.equal(answer.status, 201, answer.body.toString());
  }
  for (const [index, tar] of tars.entries()) {
    sameBytes((await place.api.send("GET", `/v2/r${index}/blobs/${sum}`)).body, tar);
  }
});

describe("a deleted blob", () => {
  test("CVE-2026-35172: is gone at once in its repository, and stays gone when it is read in another", async () => {
    await using place = await openPlace();
    const { api } = place;
    for (const name of ["a", "b"]) await pushBlob(api, name, BYTES);
    assert.equal((await api.send("DELETE", `/v2/a/blobs/${DIGEST}`)).status, 202);
    for (const round of [1, 2]) {
      for (const method of ["GET", "HEAD"]) {
        assert.equal((await api.send(method, `/v2/a/blobs/${DIGEST}`)).status, 404, `${method} ${round}`);
        assert.equal((await api.send(method, `/v2/b/blobs/${DIGEST}`)).status, 200, `${method} ${round}`);
      }
    }
    expectError(await api.send("DELETE", `/v2/a/blobs/${DIGEST}`), 404, "BLOB_UNKNOWN");
    await pushBlob(api, "a", BYTES);
    assert.equal((await api.send("HEAD", `/v2/a/blobs/${DIGEST}`)).status, 200);
  });

  test("is no source of a mount, whatever the cache says", async () => {
    await using place = await openPlace();
    const { api, storage, cache } = place;
    await pushBlob(api, "a", BYTES);
    await storage.delete(paths.layerLink(A, DIGEST)); // as another process does it
    const answer = await api.send("POST", `/v2/b/blobs/uploads/?mount=${DIGEST}&from=a`);
    assert.equal(answer.status, 202);
    assert.equal(await cache.blobs.get(A, DIGEST), undefined);
    assert.equal(await cache.blobs.get(B, DIGEST), undefined);
  });

  test("keeps a manifest out that refers to it, and the next look at it is right", async () => {
    await using place = await openPlace();
    const { api, storage } = place;
    const image = await pushImage(api, "a", { layers: [BYTES] });
    await storage.delete(paths.blob(DIGEST)); // as a peer's collector does it
    assert.equal((await api.send("HEAD", `/v2/a/blobs/${DIGEST}`)).status, 200);
    const answer = await putManifest(api, "a", "t", image.bytes, MediaType.ociManifest);
    expectError(answer, 400, "MANIFEST_BLOB_UNKNOWN");
    assert.equal((await api.send("HEAD", `/v2/a/blobs/${DIGEST}`)).status, 404);
  });

  test("is not remembered by who looked at it while it was being deleted", async () => {
    const gate = gatedDriver(await emptyStorage());
    const cache = new MemoryCache({ entries: 100 });
    await using api = await startApi(gate.driver, { cache });
    await using other = await startApi(gate.driver);
    await pushBlob(other, "a", BYTES);
    const atStat = gate.hold("stat", paths.blob(DIGEST));
    const looking = api.send("HEAD", `/v2/a/blobs/${DIGEST}`);
    await atStat.reached; // it has read the link
    assert.equal((await api.send("DELETE", `/v2/a/blobs/${DIGEST}`)).status, 202);
    atStat.release();
    assert.equal((await looking).status, 200); // it was there when it was asked for
    assert.equal((await api.send("HEAD", `/v2/a/blobs/${DIGEST}`)).status, 404);
  });

  test("is not remembered by who looked at it between the clearing and the deletion", async () => {
    const gate = gatedDriver(await emptyStorage());
    const cache = new MemoryCache({ entries: 100 });
    await using api = await startApi(gate.driver, { cache });
    await pushBlob(api, "a", BYTES);
    const atDelete = gate.hold("delete", paths.layerLink(A, DIGEST));
    const deleting = api.send("DELETE", `/v2/a/blobs/${DIGEST}`);
    await atDelete.reached;
    assert.equal((await api.send("HEAD", `/v2/a/blobs/${DIGEST}`)).status, 200);
    assert.notEqual(await cache.blobs.get(A, DIGEST), undefined);
    atDelete.release();
    assert.equal((await deleting).status, 202);
    assert.equal((await api.send("HEAD", `/v2/a/blobs/${DIGEST}`)).status, 404);
  });

  test("is not remembered by a push that it overtook", async () => {
    const gate = gatedDriver(await emptyStorage());
    const cache = new MemoryCache({ entries: 100 });
    await using api = await startApi(gate.driver, { cache });
    await pushBlob(api, "a", BYTES);
    const afterLink = gate.hold("putContent", paths.layerLink(A, DIGEST), "after");
    const pushing = pushBlob(api, "a", BYTES);
    await afterLink.reached;
    assert.equal((await api.send("DELETE", `/v2/a/blobs/${DIGEST}`)).status, 202);
    afterLink.release();
    await pushing;
    assert.equal((await api.send("HEAD", `/v2/a/blobs/${DIGEST}`)).status, 404);
  });
});

describe("a deleted manifest", () => {
  test("is gone at once, also where it did not change", async () => {
    await using place = await openPlace();
    const { api } = place;
    for (const name of ["a", "b"]) await pushImage(api, name);
    const image = await pushImage(api, "a");
    for (const name of ["a", "b"]) await api.send("GET", `/v2/${name}/manifests/${image.digest}`);
    assert.equal((await api.send("DELETE", `/v2/a/manifests/${image.digest}`)).status, 202);
    for (const headers of [{}, { "If-None-Match": `"${image.digest}"` }]) {
      expectError(await api.send("GET", `/v2/a/manifests/${image.digest}`, { headers }), 404, "MANIFEST_UNKNOWN");
    }
    assert.equal((await api.send("GET", `/v2/b/manifests/${image.digest}`)).status, 200);
    expectError(await api.send("DELETE", `/v2/a/manifests/${image.digest}`), 404, "MANIFEST_UNKNOWN");
  });

  test("is not remembered by who read it while it was being deleted", async () => {
    const gate = gatedDriver(await emptyStorage());
    const cache = new MemoryCache({ entries: 100 });
    await using api = await startApi(gate.driver, { cache });
    await using other = await startApi(gate.driver);
    const image = await pushImage(other, "a");
    const afterLink = gate.hold("getContent", paths.revisionLink(A, image.digest), "after");
    const reading = api.send("GET", `/v2/a/manifests/${image.digest}`);
    await afterLink.reached;
    assert.equal((await api.send("DELETE", `/v2/a/manifests/${image.digest}`)).status, 202);
    afterLink.release();
    assert.equal((await reading).status, 200); // it was there when it was asked for
    expectError(await api.send("GET", `/v2/a/manifests/${image.digest}`), 404, "MANIFEST_UNKNOWN");
  });
});

describe("what another process does", () => {
  test("is seen after ten seconds at the latest where the caches are in memory", async () => {
    let now = 1;
    const driver = await emptyStorage();
    const cache = new MemoryCache({ entries: 10, lifetime: SHARED_LIFETIME, now: () => now });
    await using api = await startApi(driver, { cache });
    await using other = await startApi(driver);
    const image = await pushImage(api, "a", { layers: [BYTES] });
    const targets = [`/v2/a/blobs/${DIGEST}`, `/v2/a/manifests/${image.digest}`];
    const statuses = async (): Promise<readonly number[]> =>
      await Promise.all(targets.map(async (target) => (await api.send("HEAD", target)).status));
    assert.deepEqual(await statuses(), [200, 200]);
    for (const target of targets) assert.equal((await other.send("DELETE", target)).status, 202);
    assert.deepEqual(await statuses(), [200, 200]);
    now += SHARED_LIFETIME + 1;
    assert.deepEqual(await statuses(), [404, 404]);
  });

  test("is seen when the bytes of a blob turn out to be gone, and then at once", async () => {
    await using place = await openPlace();
    const { api, storage } = place;
    await pushBlob(api, "a", BYTES);
    await storage.delete(paths.blob(DIGEST));
    expectError(await api.send("GET", `/v2/a/blobs/${DIGEST}`), 404, "BLOB_UNKNOWN");
    assert.equal((await api.send("HEAD", `/v2/a/blobs/${DIGEST}`)).status, 404);
    await pushBlob(api, "a", BYTES);
    sameBytes((await api.send("GET", `/v2/a/blobs/${DIGEST}`)).body, BYTES);
  });

  test("is not believed where a cache has another size than the storage", async () => {
    await using place = await openPlace();
    const { api, cache } = place;
    await pushBlob(api, "a", BYTES);
    for (const size of [1, 6000]) {
      await cache.blobs.set(A, DIGEST, { target: DIGEST, size });
      const answer = await api.send("GET", `/v2/a/blobs/${DIGEST}`);
      assert.deepEqual([answer.status, answer.headers["content-length"]], [200, "5000"]);
      sameBytes(answer.body, BYTES);
      assert.equal((await cache.blobs.get(A, DIGEST))?.size, 5000);
    }
  });
});

test("a registry that was closed gives nothing from its cache, and closes it", async () => {
  const memory = new MemoryCache({ entries: 10 });
  const ends: string[] = [];
  const cache: DescriptorCache = { ...memory, [Symbol.asyncDispose]: async () => void ends.push("closed") };
  const registry = openRegistry({ driver: await emptyStorage(), cache });
  const { blobs, uploads } = registry.repository(A);
  await (await (await uploads.start()).append(BYTES)).commit(DIGEST);
  assert.equal(await blobs.has(DIGEST), true);
  await registry[Symbol.asyncDispose]();
  assert.deepEqual(ends, ["closed"]);
  await assert.rejects(blobs.has(DIGEST), RegistryClosed);
});

test("a caller that changes the bytes of a manifest changes nobody else's", async () => {
  await using registry = openRegistry({ driver: await emptyStorage(), cache: new MemoryCache({ entries: 10 }) });
  const { manifests } = registry.repository(A);
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: [] }));
  await manifests.put(registry.kinds.parse(bytes, undefined), digestOf(bytes));
  for (let round = 0; round < 3; round++) {
    const found = await manifests.get(digestOf(bytes));
    assert.equal(Buffer.compare(found.bytes, bytes), 0);
    found.bytes.fill(0);
  }
});
