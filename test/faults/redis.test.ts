import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { DescriptorCache } from "../../src/cache/descriptor-cache.ts";
import { openRedisCache } from "../../src/cache/open-redis.ts";
import { digestOf, encodedOf } from "../../src/oci/digest.ts";
import { MediaType } from "../../src/oci/media-types.ts";
import { MemoryDriver } from "../../src/storage/memory.ts";
import { unlessDebian } from "../setup.ts";
import { type Api, type ApiOptions, startApi } from "../support/api.ts";
import { noise, pushBlob, pushImage, putManifest, sameBytes } from "../support/api-content.ts";
import { countingDriver } from "../support/counting-driver.ts";
import { type Redis, startRedis } from "../support/redis.ts";
import { slowProxy } from "../support/slow-proxy.ts";
import { until } from "./until.ts";

const BYTES = noise(3000);
const DIGEST = digestOf(BYTES);
const LINK = new RegExp(`/a/_layers/sha256/${encodedOf(DIGEST)}/link$`);
/** ms. Far above what anything here takes but for waiting for Redis without an end. */
const LONG = 3000;

interface Node extends AsyncDisposable {
  readonly api: Api;
  readonly warnings: string[];
  readonly cache: DescriptorCache;
  /** How often the storage was asked whether the repository `a` has the blob. */
  readonly looks: () => number;
}

async function openNode(address: string, storage: MemoryDriver, options: ApiOptions = {}): Promise<Node> {
  const warnings: string[] = [];
  const warn = (message: string): unknown => warnings.push(message);
  const cache = await openRedisCache({ addrs: [address] }, { exclusive: true, warn, pause: 20 });
  const counting = countingDriver(storage);
  const api = await startApi(counting.driver, { cache, ...options });
  const looks = (): number => counting.count("getContent", LINK);
  return { api, cache, warnings, looks, [Symbol.asyncDispose]: () => api[Symbol.asyncDispose]() };
}

/** A blob and a manifest that are there, a blob that is not; each answer must be right, and none may take long. */
async function checkAnswers({ send }: Api, manifest: { digest: string; bytes: Uint8Array }): Promise<void> {
  const began = performance.now();
  const gone = `/v2/a/blobs/${digestOf(Buffer.from("never pushed"))}`;
  const [head, blob, image, none, other] = await Promise.all([
    send("HEAD", `/v2/a/blobs/${DIGEST}`),
    send("GET", `/v2/a/blobs/${DIGEST}`),
    send("GET", `/v2/a/manifests/${manifest.digest}`),
    send("HEAD", gone),
    send("HEAD", `/v2/b/blobs/${DIGEST}`),
  ]);
  assert.deepEqual([head.status, head.headers["content-length"]], [200, String(BYTES.length)]);
  sameBytes(blob.body, BYTES);
  sameBytes(image.body, manifest.bytes);
  assert.deepEqual([none.status, other.status], [404, 404]);
  const took = performance.now() - began;
  assert.ok(took < LONG, `${took} ms`);
}

async function isWarm({ api, looks }: Node): Promise<boolean> {
  const before = looks();
  await api.send("HEAD", `/v2/a/blobs/${DIGEST}`);
  return looks() === before;
}

describe("with Redis", { skip: unlessDebian("redis-server") }, () => {
  const misfortunes: Readonly<Record<string, readonly [(redis: Redis) => unknown, (redis: Redis) => unknown]>> = {
    killed: [(redis) => redis.kill(), (redis) => redis.restart()],
    frozen: [(redis) => redis.freeze(), (redis) => redis.thaw()],
    emptied: [(redis) => redis.ask("FLUSHALL"), () => undefined],
    "full of garbage": [fillWithGarbage, () => undefined],
    "told to take nothing more": [
      (redis) => redis.ask("CONFIG SET maxmemory 1"),
      (redis) => redis.ask("CONFIG SET maxmemory 0"),
    ],
  };
  for (const [what, [strike, mend]] of Object.entries(misfortunes)) {
    test(`${what} under load, every answer is right, and the cache is warm again afterwards`, async () => {
      await using redis = await startRedis();
      await using node = await openNode(redis.address, new MemoryDriver());
      const image = await pushImage(node.api, "a", { layers: [BYTES] });
      await checkAnswers(node.api, image);
      assert.ok(await isWarm(node));
      let over = false;
      const load = Array.from({ length: 4 }, async () => {
        while (!over) await checkAnswers(node.api, image);
      });
      for (let round = 0; round < 3; round++) {
        await strike(redis);
        for (let i = 0; i < 5; i++) await checkAnswers(node.api, image);
        await pushBlob(node.api, "c", noise(10));
        await mend(redis);
        await until("the cache is warm again", () => isWarm(node));
      }
      over = true;
      await Promise.all(load);
      assert.ok(node.warnings.length <= 12, node.warnings.join());
    });
  }

  test("that answers late, or never, nobody waits for long, and a slow one does no harm", async () => {
    await using redis = await startRedis();
    await using proxy = await slowProxy(redis.port);
    await using node = await openNode(proxy.address, new MemoryDriver());
    const image = await pushImage(node.api, "a", { layers: [BYTES] });
    for (const delay of [50, 400, Number.POSITIVE_INFINITY]) {
      proxy.delay(delay);
      for (let i = 0; i < 3; i++) await checkAnswers(node.api, image);
      assert.equal((await putManifest(node.api, "a", "t", image.bytes, MediaType.ociManifest)).status, 201);
    }
    proxy.delay(0);
    await until("the cache is warm again", () => isWarm(node));
    proxy.cut();
    for (let i = 0; i < 3; i++) await checkAnswers(node.api, image);
    await until("the cache is warm again", () => isWarm(node));
  });

  test("that is not there at the start, everything works, and the cache is used when it comes", async () => {
    const redis = await startRedis();
    await redis.kill();
    await using node = await openNode(redis.address, new MemoryDriver());
    const image = await pushImage(node.api, "a", { layers: [BYTES] });
    await checkAnswers(node.api, image);
    assert.equal(node.warnings.length, 1);
    const { blobs, revisions } = node.cache.counts ?? {};
    for (const counts of [blobs, revisions]) assert.deepEqual([counts?.hits, counts?.misses], [0, 0]);
    assert.ok((blobs?.errors ?? 0) >= 4, "each lookup is an error");
    await redis.restart();
    await using _redis = redis;
    await until("the cache is warm", () => isWarm(node));
    assert.ok((blobs?.hits ?? 0) > 0);
  });

  test("what is deleted while Redis is down is gone at once, and is not back when Redis is", async () => {
    await using redis = await startRedis();
    await using node = await openNode(redis.address, new MemoryDriver());
    const { api } = node;
    const image = await pushImage(api, "a", { layers: [BYTES] });
    await checkAnswers(api, image);
    redis.freeze(); // so that it still has everything afterwards
    const targets = [`/v2/a/blobs/${DIGEST}`, `/v2/a/manifests/${image.digest}`];
    for (const target of targets) assert.equal((await api.send("DELETE", target)).status, 202);
    for (const target of targets) assert.equal((await api.send("HEAD", target)).status, 404);
    redis.thaw();
    const isCleared = async (): Promise<boolean> =>
      !(await redis.ask("SMEMBERS repository::a::blobs")).includes(DIGEST);
    await until("it was cleared", async () => {
      for (const target of targets) assert.equal((await api.send("HEAD", target)).status, 404);
      return await isCleared();
    });
    for (const target of targets) assert.equal((await api.send("HEAD", target)).status, 404);
  });

  test("what one node deletes is gone in the other at once, whoever has looked at it", async () => {
    await using redis = await startRedis();
    const storage = new MemoryDriver();
    await using one = await openNode(redis.address, storage);
    await using two = await openNode(redis.address, storage);
    const nodes = [one, two];
    for (let round = 0; round < 10; round++) {
      const bytes = noise(100);
      const image = await pushImage(one.api, "a", { layers: [bytes] });
      await pushBlob(two.api, "b", bytes);
      const targets = [`/v2/a/blobs/${digestOf(bytes)}`, `/v2/a/manifests/${image.digest}`];
      for (const { api } of nodes) for (const target of targets) await api.send("GET", target);
      const deleter = nodes[round % 2] as Node;
      const looks = nodes.flatMap(({ api }) => targets.map((target) => api.send("GET", target)));
      const deletions = targets.map((target) => deleter.api.send("DELETE", target));
      for (const { status } of await Promise.all(deletions)) assert.equal(status, 202);
      const after = nodes.flatMap(({ api }) => targets.map((target) => api.send("HEAD", target)));
      for (const { status } of await Promise.all(after)) assert.equal(status, 404);
      await Promise.all(looks);
      for (const { api } of nodes) {
        for (const target of targets) assert.equal((await api.send("HEAD", target)).status, 404);
        assert.equal((await api.send("HEAD", `/v2/b/blobs/${digestOf(bytes)}`)).status, 200);
      }
    }
  });
});

/** Every key of the registry gets nonsense, each of another kind. */
async function fillWithGarbage(redis: Redis): Promise<void> {
  const keys = (await redis.ask("KEYS *")).split("\n").filter((line) => /^(?:repository|blobs|wharfinger)/.test(line));
  for (const [index, key] of keys.entries()) {
    if (key.startsWith("blobs::")) {
      await redis.ask(
        ["HSET", key, "size", ["ten", "-5", "0", "1e3"][index % 4], "digest", DIGEST.slice(0, 20)].join(" "),
      );
    } else {
      await redis.ask(`DEL ${key}`);
      await redis.ask([`SET ${key} garbage`, `RPUSH ${key} garbage`][index % 2] ?? "");
    }
  }
}
