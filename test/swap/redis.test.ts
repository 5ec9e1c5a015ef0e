import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { describe, test } from "node:test";
import { openRedisCache } from "../../src/cache/open-redis.ts";
import { digestOf } from "../../src/oci/digest.ts";
import { openFilesystem } from "../../src/storage/filesystem.ts";
import { StoredFiles } from "../faults/stored-files.ts";
import { unlessDebian } from "../setup.ts";
import { type Api, startApi } from "../support/api.ts";
import { noise, pushBlob } from "../support/api-content.ts";
import { type CountingDriver, countingDriver } from "../support/counting-driver.ts";
import { type Redis, startRedis } from "../support/redis.ts";
import { openRegistry } from "../support/swap.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

interface Pair extends AsyncDisposable {
  readonly redis: Redis;
  readonly ours: Api;
  readonly counting: CountingDriver;
  readonly files: StoredFiles;
  /** A request to docker-registry. */
  theirs(method: string, path: string, body?: Uint8Array): Promise<Response>;
}

/** Both over one directory and one Redis. */
async function openPair(): Promise<Pair> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder("swap-redis"));
  const redis = stack.use(await startRedis());
  const configuration = { storage: { cache: { blobdescriptor: "redis" } }, redis: { addr: redis.address } };
  const peer = stack.use(await openRegistry("docker-registry", folder.path, configuration));
  const warn = (message: string): void => assert.fail(message);
  const cache = await openRedisCache({ addrs: [redis.address] }, { exclusive: false, warn });
  const counting = countingDriver(await openFilesystem({ rootdirectory: folder.path }));
  const ours = stack.use(await startApi(counting.driver, { cache }));
  const end = stack.move();
  return {
    ...{ redis, ours, counting, files: new StoredFiles(folder.path) },
    theirs: (method, path, body) => fetch(new URL(path, peer.process.url), { method, ...(body && { body }) }),
    [Symbol.asyncDispose]: () => end.disposeAsync(),
  };
}

async function pushToPeer({ theirs }: Pair, name: string, bytes: Uint8Array): Promise<string> {
  const started = await theirs("POST", `/v2/${name}/blobs/uploads/`);
  const url = `${started.headers.get("location")}&digest=${digestOf(bytes)}`;
  assert.equal((await theirs("PUT", url, bytes)).status, 201);
  return `/v2/${name}/blobs/${digestOf(bytes)}`;
}

describe("one Redis for docker-registry and us", { skip: unlessDebian("docker-registry", "redis-server") }, () => {
  test("tells us what docker-registry received", async () => {
    await using pair = await openPair();
    const target = await pushToPeer(pair, "a/b", noise(1000));
    const head = await pair.ours.send("HEAD", target);
    assert.deepEqual([head.status, head.headers["content-length"]], [200, "1000"]);
    assert.deepEqual(pair.counting.calls, []);
  });

  test("tells docker-registry what we received", async () => {
    await using pair = await openPair();
    const digest = await pushBlob(pair.ours, "a/b", noise(1000));
    await rm(pair.files.layerLink("a/b", digest)); // so that it can only be known from Redis
    const head = await pair.theirs("HEAD", `/v2/a/b/blobs/${digest}`);
    assert.deepEqual([head.status, head.headers.get("content-length")], [200, "1000"]);
  });

  for (const deleter of ["ours", "theirs"] as const) {
    test(`tells of what is deleted by ${deleter === "ours" ? "us" : "docker-registry"} to both`, async () => {
      await using pair = await openPair();
      const { ours, theirs } = pair;
      for (const push of ["ours", "theirs"] as const) {
        const bytes = noise(1000);
        const target =
          push === "theirs"
            ? await pushToPeer(pair, "a/b", bytes)
            : `/v2/a/b/blobs/${await pushBlob(ours, "a/b", bytes)}`;
        assert.deepEqual([(await ours.send("HEAD", target)).status, (await theirs("HEAD", target)).status], [200, 200]);
        const deletion = deleter === "ours" ? await ours.send("DELETE", target) : await theirs("DELETE", target);
        assert.equal(deletion.status, 202);
        assert.deepEqual([(await ours.send("HEAD", target)).status, (await theirs("HEAD", target)).status], [404, 404]);
      }
    });
  }
});
