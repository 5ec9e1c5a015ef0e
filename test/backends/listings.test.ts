/** What listings and a purge cost in requests to S3. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { openRegistry } from "../../src/library.ts";
import { purgeUploads } from "../../src/maintenance/upload-purge.ts";
import { digestOf } from "../../src/oci/digest.ts";
import { NameUnknown } from "../../src/oci/errors.ts";
import { MediaType } from "../../src/oci/media-types.ts";
import { parseRepositoryName, parseTag, type RepositoryName } from "../../src/oci/names.ts";
import { PathMapper } from "../../src/registry/paths.ts";
import type { Registry } from "../../src/registry/registry.ts";
import { openS3, type S3Driver } from "../../src/storage/s3.ts";
import { walk } from "../../src/storage/walk.ts";
import { noise } from "../support/api-content.ts";
import { type FaultProxy, startFaultProxy } from "../support/fault-proxy.ts";
import { type Gateway, gatewayParameters, startGateway } from "../support/versitygw.ts";

const paths = new PathMapper();
const NAMES = Array.from({ length: 20 }, (_, index) => parseRepositoryName(`r${index + 10}`));
const [NAME = parseRepositoryName("r10")] = NAMES;
const TAGS = ["a", "b", "c"].map(parseTag);
const LAYERS = 5;

describe("what S3 is asked for, of 20 repositories with 3 tags and 5 layers each,", () => {
  let gateway: Gateway;
  let proxy: FaultProxy;
  let driver: S3Driver;
  let registry: Registry;
  before(async () => {
    gateway = await startGateway();
    proxy = await startFaultProxy(gateway.port);
    driver = await openS3(gatewayParameters(proxy.port, { rootdirectory: randomUUID() }));
    registry = openRegistry({ driver });
    await Promise.all(NAMES.map((name) => fill(driver, name)));
  });
  after(async () => {
    for (const one of [registry, proxy, gateway]) await one[Symbol.asyncDispose]();
  });

  /** How often each operation was asked for. */
  async function asked(work: () => Promise<unknown>): Promise<Readonly<Record<string, number>>> {
    proxy.forget();
    await work();
    const operations = proxy.requests.map(({ operation }) => operation);
    return Object.fromEntries(
      [...new Set(operations)].map((one) => [one, operations.filter((two) => two === one).length]),
    );
  }

  test("for the catalogue: one listing a repository, and one of all of them", async () => {
    const found: string[] = [];
    const requests = await asked(async () => {
      for await (const name of registry.repositories()) found.push(name);
    });
    assert.deepEqual(found, NAMES);
    assert.deepEqual(requests, { ListObjectsV2: 21 });
  });

  test("for a walk of everything: one listing a folder", async () => {
    const folders = new Set([""]);
    let files = 0;
    const requests = await asked(() =>
      walk(driver, "/docker", ({ path, isDirectory, info }) => {
        assert.equal(info?.isDirectory, isDirectory);
        if (isDirectory) folders.add(path);
        else files += 1;
        return undefined;
      }),
    );
    assert.equal(files, NAMES.length * (LAYERS * 2 + TAGS.length * 4));
    assert.deepEqual(requests, { ListObjectsV2: folders.size });
  });

  test("for tags: one listing and a HEAD a tag; for manifests a listing an algorithm and a GET each", async () => {
    const { tags, manifests } = registry.repository(NAME);
    assert.deepEqual(await asked(() => Array.fromAsync(tags.list())), { ListObjectsV2: 1, HeadObject: 3 });
    assert.deepEqual(await asked(() => Array.fromAsync(manifests.list())), { ListObjectsV2: 3, GetObject: 3 });
    const none = registry.repository(parseRepositoryName("none"));
    const requests = await asked(() => assert.rejects(Array.fromAsync(none.tags.list()), NameUnknown));
    assert.deepEqual(requests, { ListObjectsV2: 2 });
  });

  const purge = (): Promise<unknown> =>
    purgeUploads({ driver, paths }, { age: 0, dryRun: false, now: Date.now() + 3_600_000 });

  test("to purge 20 sessions: five requests each, beside the catalogue's and a listing a repository", async () => {
    for (const name of NAMES) await registry.repository(name).uploads.start();
    assert.deepEqual(await asked(async () => assert.deepEqual(await purge(), { deleted: 20, errors: [] })), {
      ListObjectsV2: 21 + 20 + 20,
      GetObject: 20,
      ListMultipartUploads: 21, // the last for what nobody finished
      AbortMultipartUpload: 20,
      DeleteObjects: 20,
    });
  });

  test("to purge 20 sessions that lost their start: a listing more for each folder in them", async () => {
    for (const name of NAMES) {
      const folder = `${paths.repository(name)}/_uploads/${randomUUID()}`;
      await driver.putContent(`${folder}/hashstates/sha256/0`, Buffer.from("x"));
    }
    assert.deepEqual(await asked(async () => assert.deepEqual(await purge(), { deleted: 20, errors: [] })), {
      ListObjectsV2: 21 + 20 + 20 + 20 * 3,
      GetObject: 20,
      ListMultipartUploads: 21, // the last for what nobody finished
      DeleteObjects: 20,
    });
  });

  test("for referrers: a listing an algorithm of the revisions, and of the subject's, once it is known that folders have no times", async () => {
    const { referrers, manifests } = registry.repository(parseRepositoryName("referred"));
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: [] }));
    await manifests.put(registry.kinds.parse(bytes, undefined), digestOf(bytes));
    const list = (): Promise<unknown> => Array.fromAsync(referrers.list(digestOf(bytes)));
    assert.equal((await asked(list))["HeadObject"], 3);
    assert.deepEqual(await asked(list), { ListObjectsV2: 6 });
  });
});

async function fill(driver: S3Driver, name: RepositoryName): Promise<void> {
  for (let index = 0; index < LAYERS; index++) {
    const bytes = noise(30);
    await driver.putContent(paths.blob(digestOf(bytes)), bytes);
    await driver.putContent(paths.layerLink(name, digestOf(bytes)), Buffer.from(digestOf(bytes)));
  }
  for (const tag of TAGS) {
    const bytes = noise(30);
    const digest = digestOf(bytes);
    await driver.putContent(paths.blob(digest), bytes);
    for (const link of [
      paths.revisionLink(name, digest),
      paths.tagCurrent(name, tag),
      paths.tagIndex(name, tag, digest),
    ]) {
      await driver.putContent(link, Buffer.from(digest));
    }
  }
}
