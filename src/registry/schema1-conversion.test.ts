import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import { failingDriver } from "../../test/support/failing-driver.ts";
import { verifiedPayload } from "../../test/support/schema1-fixture.ts";
import { OBSERVED } from "../../test/support/schema1-observed.ts";
import { blobPath } from "../../test/support/schema1-stored.ts";
import { openRegistry, type RegistryOptions } from "../library.ts";
import { digestOf } from "../oci/digest.ts";
import { ManifestInvalid } from "../oci/errors.ts";
import { MediaType } from "../oci/media-types.ts";
import { parseRepositoryName, parseTag } from "../oci/names.ts";
import { EMPTY_LAYER } from "../oci/schema1/conversion.ts";
import type { StorageDriver } from "../storage/driver.ts";
import { PathNotFound } from "../storage/errors.ts";
import { MemoryDriver } from "../storage/memory.ts";
import type { Repository, Schema1Conversion, StoredManifest } from "./registry.ts";

const NAME = parseRepositoryName(OBSERVED.repository);
const TAG = parseTag(OBSERVED.tag);
const SESSIONS = `/docker/registry/v2/repositories/${NAME}/_uploads`;

describe("the conversion to schema 1", () => {
  it("needs no HTTP, and tells the digest before it signs", async () => {
    const { repository, conversion, image } = await openWithImage(new MemoryDriver());
    const unsigned = await conversion.convert(image, TAG);
    assert.equal(unsigned.digest, OBSERVED.digest);
    assert.equal(await repository.blobs.has(EMPTY_LAYER.digest), true);
    const { digest, mediaType, bytes } = await unsigned.sign();
    assert.deepEqual([digest, mediaType], [OBSERVED.digest, MediaType.dockerSchema1Signed]);
    assert.deepEqual(verifiedPayload(Buffer.from(bytes)), verifiedPayload(OBSERVED.document));
  });

  it("is only where schema 1 is enabled", () => {
    for (const schema1 of [undefined, { enabled: false }]) {
      const options = { driver: new MemoryDriver(), ...(schema1 && { schema1 }) };
      assert.equal(openRegistry(options).repository(NAME).schema1, undefined);
    }
  });

  it("is not of an index, nor of an image of OCI", async () => {
    const { conversion, image } = await openWithImage(new MemoryDriver());
    for (const mediaType of [MediaType.ociManifest, MediaType.dockerList, MediaType.dockerSchema1Signed]) {
      await assert.rejects(conversion.convert({ ...image, mediaType }, TAG), ManifestInvalid);
    }
  });

  it("writes nothing in a registry that is read-only", async () => {
    const driver = new MemoryDriver();
    const { image } = await openWithImage(driver);
    const { conversion, repository } = open(driver, { readOnly: true });
    await assert.rejects(conversion.convert(image, TAG), ManifestInvalid);
    assert.equal(await repository.blobs.has(EMPTY_LAYER.digest), false);
    await assert.rejects(driver.stat(blobPath(EMPTY_LAYER.digest)), PathNotFound);
  });

  it("leaves no upload behind where the empty layer cannot be provided", async () => {
    const inner = new MemoryDriver();
    const { driver, fail, mend } = failingDriver(inner);
    const { conversion, image, repository } = await openWithImage(driver);
    const before = await sessionsOf(inner);
    for (const path of [/\/data$/, /_layers.*link$/]) {
      fail("putContent", (one) => (path.test(one) ? new Error("full") : undefined));
      await assert.rejects(conversion.convert(image, TAG), /full/);
      assert.deepEqual(await sessionsOf(inner), before);
      assert.equal(await repository.blobs.has(EMPTY_LAYER.digest), false);
    }
    mend();
    assert.equal((await conversion.convert(image, TAG)).digest, OBSERVED.digest);
  });

  it("of images with large configurations is for two at once, and of the usual ones for more", async () => {
    const large = Buffer.concat([OBSERVED.config, Buffer.alloc(1024 * 1024 - OBSERVED.config.length, " ")]);
    for (const [config, expected] of [
      [large, 2],
      [OBSERVED.config, 8],
    ] as const) {
      const reading = countReaders(new MemoryDriver());
      const { conversion, image } = await openWithImage(reading.driver, config);
      reading.forget();
      const converted = await Promise.all(Array.from({ length: 8 }, () => conversion.convert(image, TAG)));
      await Promise.all(converted.map((unsigned) => unsigned.sign()));
      assert.equal(reading.most(), expected);
    }
  });

  it("goes on after one that failed", async () => {
    const { driver, fail, mend } = failingDriver(new MemoryDriver());
    const large = Buffer.concat([OBSERVED.config, Buffer.alloc(1024 * 1024 - OBSERVED.config.length, " ")]);
    const { conversion, image } = await openWithImage(driver, large);
    fail("reader", () => new Error("broken"));
    const failed = await Promise.allSettled(Array.from({ length: 4 }, () => conversion.convert(image, TAG)));
    assert.ok(failed.every(({ status }) => status === "rejected"));
    mend();
    assert.ok((await conversion.convert(image, TAG)).digest);
  });
});

interface Opened {
  readonly repository: Repository;
  readonly conversion: Schema1Conversion;
}

function open(driver: StorageDriver, options: Partial<RegistryOptions> = {}): Opened {
  const repository = openRegistry({ schema1: { enabled: true }, ...options, driver }).repository(NAME);
  assert.ok(repository.schema1);
  return { repository, conversion: repository.schema1 };
}

/** By default that of {@link OBSERVED}. */
async function openWithImage(
  driver: StorageDriver,
  config: Buffer = OBSERVED.config,
): Promise<Opened & { readonly image: StoredManifest }> {
  const opened = open(driver);
  const { uploads } = opened.repository;
  for (const blob of [config, OBSERVED.layer]) {
    await (await (await uploads.start()).append(blob)).commit(digestOf(blob));
  }
  const describe = (mediaType: string, bytes: Buffer): object => ({
    mediaType,
    size: bytes.length,
    digest: digestOf(bytes),
  });
  const document = {
    schemaVersion: 2,
    mediaType: MediaType.dockerManifest,
    config: describe(MediaType.dockerConfig, config),
    layers: [describe("application/vnd.docker.image.rootfs.diff.tar.gzip", OBSERVED.layer)],
  };
  const bytes = Buffer.from(JSON.stringify(document));
  return { ...opened, image: { digest: digestOf(bytes), mediaType: MediaType.dockerManifest, bytes } };
}

async function sessionsOf(driver: StorageDriver): Promise<readonly string[]> {
  return await driver.list(SESSIONS);
}

/** A storage that takes its time for each reader, and tells how many were open at once. */
function countReaders(inner: StorageDriver): {
  readonly driver: StorageDriver;
  most(): number;
  forget(): void;
} {
  let [reading, most] = [0, 0];
  const reader: StorageDriver["reader"] = async (...parameters) => {
    reading++;
    most = Math.max(most, reading);
    for (let turn = 0; turn < 10; turn++) await setImmediate();
    reading--;
    return await inner.reader(...parameters);
  };
  const driver = new Proxy(inner, {
    get: (target, key) => {
      if (key === "reader") return reader;
      const member: unknown = Reflect.get(target, key, target);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
  return { driver, most: () => most, forget: () => (most = 0) };
}
