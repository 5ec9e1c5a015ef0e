import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { openRegistry } from "../library.ts";
import { digestOf } from "../oci/digest.ts";
import { RegistryClosed } from "../oci/errors.ts";
import { MediaType } from "../oci/media-types.ts";
import { parseRepositoryName, parseTag } from "../oci/names.ts";
import { MemoryDriver } from "../storage/memory.ts";
import type { StoredManifest } from "./registry.ts";

const NAME = parseRepositoryName("a/b");
const BYTES = Buffer.from("some bytes");
const DIGEST = digestOf(BYTES);
const TAG = parseTag("v1");
const IMAGE = imageWith({ mediaType: MediaType.dockerConfig, digest: DIGEST, size: BYTES.length });

describe("a registry that was disposed of", () => {
  test("fails by name in all its parts, also in those that were at hand before", async () => {
    const registry = openRegistry({ driver: new MemoryDriver(), deletion: true, schema1: { enabled: true } });
    const { blobs, uploads, manifests, tags, referrers, signatures, schema1 } = registry.repository(NAME);
    await (await (await uploads.start()).append(BYTES)).commit(DIGEST);
    const blob = await blobs.open(DIGEST);
    const reader = await blob.read();
    const upload = await uploads.start();
    const index = { schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: [] };
    const manifest = registry.kinds.parse(Buffer.from(JSON.stringify(index)), MediaType.ociIndex);
    const digest = digestOf(manifest.bytes);
    await manifests.put(manifest, digest);
    await tags.set(TAG, digest);
    await registry[Symbol.asyncDispose]();
    for (const call of [
      () => Array.fromAsync(registry.repositories()),
      () => registry.repository(NAME).blobs.has(DIGEST),
      () => blobs.open(DIGEST),
      () => blobs.mount(DIGEST),
      () => blobs.delete(DIGEST),
      () => blob.read(),
      () => reader.read(new Uint8Array(1)),
      () => uploads.start(),
      () => uploads.resume(upload.id),
      () => uploads.put(BYTES, DIGEST),
      () => upload.append(BYTES),
      () => upload.finish(BYTES, DIGEST),
      () => upload.commit(DIGEST),
      () => upload.cancel(),
      () => manifests.get(digest),
      () => manifests.getByTag(TAG),
      () => manifests.has(digest),
      () => Array.fromAsync(manifests.list()),
      () => manifests.put(manifest, digest),
      () => manifests.delete(digest),
      () => tags.resolve(TAG),
      () => tags.has(TAG),
      () => Array.fromAsync(tags.list()),
      () => tags.set(TAG, digest),
      () => tags.delete(TAG),
      () => Array.fromAsync(referrers.list(digest)),
      () => signatures.get(digest),
      () => signatures.put(digest, BYTES),
      async () => await schema1?.convert(IMAGE, TAG),
    ]) {
      await assert.rejects(call, RegistryClosed, String(call));
    }
    await reader[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
  });

  test("has kept what an upload had received, which another registry goes on with", async () => {
    const driver = new MemoryDriver();
    const registry = openRegistry({ driver });
    const upload = await registry.repository(NAME).uploads.start();
    const appending = upload.append(
      (async function* () {
        yield BYTES.subarray(0, 4);
        await registry[Symbol.asyncDispose]();
        yield BYTES.subarray(4);
      })(),
    );
    await assert.rejects(appending, RegistryClosed);
    await using next = openRegistry({ driver });
    const resumed = await next.repository(NAME).uploads.resume(upload.id);
    assert.equal(resumed.size, 4);
    const whole = await resumed.append(BYTES.subarray(4));
    assert.equal((await whole.commit(DIGEST)).size, BYTES.length);
  });
});

function imageWith(config: object): StoredManifest {
  const mediaType = MediaType.dockerManifest;
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [] }));
  return { digest: digestOf(bytes), mediaType, bytes };
}
