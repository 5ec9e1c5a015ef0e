import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { unlessDebian } from "../setup.ts";
import { freePort } from "../support/free-port.ts";
import { startRedis } from "../support/redis.ts";
import { RegistryClient } from "../support/registry-client.ts";
import { type Configuration, startRegistry } from "../support/registry-process.ts";
import { bulkyImage } from "../support/samples.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { sharedBucket } from "../support/workplace.ts";

/** Starts the program, pushes and pulls an image, and gives what it logged. */
async function served(configuration: Configuration): Promise<string> {
  await using folder = await temporaryFolder("cache");
  await using registry = await startRegistry("wharfinger", {
    rootDirectory: folder.path,
    driver: sharedBucket(),
    configuration,
  });
  const http = new RegistryClient(registry.url);
  const image = bulkyImage(1000, 2);
  await http.push("a", "v1", image);
  for (let round = 0; round < 2; round++) await http.expectImage("a", "v1", image);
  assert.equal(await registry.stop(), 0);
  return registry.log;
}

test("a descriptor cache in memory is configured", async () => {
  const log = await served({ storage: { cache: { blobdescriptor: "inmemory" } }, wharfinger: { exclusive: true } });
  assert.match(log, /using inmemory blob descriptor cache/);
});

test("another one is told of, and is none", async () => {
  const log = await served({ storage: { cache: { blobdescriptor: "memcached" } } });
  assert.match(log, /memcached.*is no descriptor cache, so there is none, use inmemory or redis/);
  assert.doesNotMatch(log, /using/);
});

test("a Redis that is not there is told of, and keeps nobody from serving", async () => {
  const redis = { addrs: [`127.0.0.1:${await freePort()}`] };
  const log = await served({ storage: { cache: { blobdescriptor: "redis" } }, redis });
  assert.match(log, /level=warn.*Redis does not answer/);
});

describe("a descriptor cache in Redis", { skip: unlessDebian("redis-server") }, () => {
  test("is configured as the peers have it, and holds what was pushed", async () => {
    await using redis = await startRedis(["--requirepass", "secret"]);
    const section = { addr: redis.address, password: "secret", pool: { maxidle: 16 } };
    const log = await served({ storage: { cache: { layerinfo: "redis" } }, redis: section });
    assert.match(log, /using redis blob descriptor cache/);
    assert.doesNotMatch(log, /does not answer|secret/);
    assert.match(await redis.ask("AUTH secret\r\nSCARD repository::a::blobs"), /:2$/);
  });

  test("CVE-2026-35172: tells each of two processes what the other deletes, in one repository and in another", async () => {
    await using redis = await startRedis();
    await using folder = await temporaryFolder("cache");
    const storage = { cache: { blobdescriptor: "redis" }, redirect: { disable: true } };
    const configuration = { storage, redis: { addrs: [redis.address] } };
    const options = { rootDirectory: folder.path, driver: sharedBucket(), configuration };
    await using one = await startRegistry("wharfinger", options);
    await using two = await startRegistry("wharfinger", options);
    const clients = [new RegistryClient(one.url), new RegistryClient(two.url)];
    const image = bulkyImage(1000, 2);
    const { digest } = image.manifest.descriptor;
    const layer = image.blobs[0]?.descriptor.digest ?? digest;
    const statuses = (kind: "blobs" | "manifests", what: string): Promise<number[]> =>
      Promise.all(["a", "b"].flatMap((name) => clients.map((client) => client.statusOf(name, kind, what))));
    for (const [deleter, other] of [clients, clients.toReversed()]) {
      for (const name of ["a", "b"]) await other?.push(name, "v1", image);
      assert.deepEqual(await statuses("manifests", digest), [200, 200, 200, 200]);
      assert.deepEqual(await statuses("blobs", layer), [200, 200, 200, 200]);
      for (const path of [`a/manifests/${digest}`, `a/blobs/${layer}`]) {
        assert.equal((await deleter?.request(path, { method: "DELETE" }))?.status, 202);
      }
      for (let round = 0; round < 2; round++) {
        assert.deepEqual(await statuses("manifests", digest), [404, 404, 200, 200]);
        assert.deepEqual(await statuses("blobs", layer), [404, 404, 200, 200]);
      }
    }
  });
});
