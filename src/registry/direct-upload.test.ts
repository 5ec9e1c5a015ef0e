import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { contentsOf } from "../../test/support/api-content.ts";
import { AtomicMemory } from "../../test/support/atomic-memory.ts";
import { countingDriver } from "../../test/support/counting-driver.ts";
import { openRegistry } from "../library.ts";
import { digestOf } from "../oci/digest.ts";
import { DigestInvalid, RangeInvalid, RegistryClosed, UploadUnknown } from "../oci/errors.ts";
import { parseRepositoryName } from "../oci/names.ts";
import type { StorageDriver } from "../storage/driver.ts";
import { StorageError } from "../storage/errors.ts";
import { MemoryDriver } from "../storage/memory.ts";
import { PathMapper } from "./paths.ts";
import type { UploadContent, UploadService } from "./registry.ts";

const NAME = parseRepositoryName("a/b");
const PATHS = new PathMapper();
const BYTES = Buffer.from("0123456789");
const DIGEST = digestOf(BYTES);
const BLOB = PATHS.blob(DIGEST);

describe("bytes that come all at once where objects appear whole", () => {
  test("are written to the blob's place alone, with a session and without one", async () => {
    for (const algorithm of ["sha256", "sha384", "sha512"] as const) {
      const digest = digestOf(BYTES, algorithm);
      for (const push of [
        async (uploads: UploadService) =>
          (await uploads.start()).finish([BYTES.subarray(0, 3), BYTES.subarray(3)], digest),
        async (uploads: UploadService) => uploads.put(BYTES, digest),
      ]) {
        const { driver, count } = countingDriver(new AtomicMemory());
        await using registry = openRegistry({ driver });
        const { uploads } = registry.repository(NAME);
        const blob = await push(uploads);
        assert.deepEqual([blob.digest, blob.size], [digest, BYTES.length]);
        assert.deepEqual(await filesOf(driver), [PATHS.blob(digest), PATHS.layerLink(NAME, digest)].sort());
        assert.equal(count("writer", /./) + count("move", /./), 0);
      }
    }
  });

  test("leave nothing where they have another digest or their source fails, and the session goes on", async () => {
    const driver = new AtomicMemory();
    await using registry = openRegistry({ driver });
    const { uploads } = registry.repository(NAME);
    const upload = await uploads.start();
    await driver.putContent(BLOB, Buffer.from("before"));
    const files = await contentsOf(driver);
    const failing = function* (): Generator<Uint8Array, void, void> {
      yield BYTES;
      throw new Error("the source failed");
    };
    for (const push of [
      (content: Iterable<Uint8Array>) => upload.finish(content, DIGEST),
      (content: Iterable<Uint8Array>) => uploads.put(content, DIGEST),
    ]) {
      await assert.rejects(push([Buffer.from("other")]), DigestInvalid);
      await assert.rejects(push([]), DigestInvalid);
      await assert.rejects(push(failing()), /^Error: the source failed$/);
      assert.deepEqual(await driver.listUnfinished("/docker"), []);
      assert.deepEqual(await contentsOf(driver), files);
    }
    assert.equal((await uploads.resume(upload.id)).size, 0);
    await upload.finish(BYTES, DIGEST);
    assert.deepEqual(Buffer.from(await driver.getContent(BLOB)), BYTES);
  });

  test("may be none", async () => {
    const driver = new AtomicMemory();
    await using registry = openRegistry({ driver });
    const empty = digestOf(new Uint8Array());
    assert.equal((await registry.repository(NAME).uploads.put([], empty)).size, 0);
    assert.equal((await driver.getContent(PATHS.blob(empty))).length, 0);
  });

  test("are taken over by a later request for the session, and take over from an earlier one", async () => {
    const driver = new AtomicMemory();
    await using registry = openRegistry({ driver });
    const { uploads } = registry.repository(NAME);
    const upload = await uploads.start();
    for (const begin of [
      (content: UploadContent) => upload.append(content),
      (content: UploadContent) => upload.finish(content, DIGEST),
    ]) {
      const { content, began } = stalling();
      const refused = assert.rejects(begin(content), RangeInvalid);
      await began;
      await upload.finish(BYTES, DIGEST);
      await refused;
    }
    await assert.rejects(uploads.resume(upload.id), UploadUnknown);
    assert.deepEqual(await filesOf(driver), [BLOB, PATHS.layerLink(NAME, DIGEST)].sort());
    assert.deepEqual(await driver.listUnfinished("/docker"), []);
  });

  test("that the purge takes away while they come are refused, and so is what follows", async () => {
    const driver = new AtomicMemory();
    await using registry = openRegistry({ driver });
    const { uploads } = registry.repository(NAME);
    const purging = async function* (): AsyncGenerator<Uint8Array, void, void> {
      yield BYTES.subarray(0, 4);
      for (const one of await driver.listUnfinished(PATHS.blobs)) await driver.removeUnfinished(one);
      yield BYTES.subarray(4);
    };
    await assert.rejects((await uploads.start()).finish(purging(), DIGEST), RangeInvalid);
    await assert.rejects(uploads.put(purging(), DIGEST), StorageError);
    assert.equal((await filesOf(driver)).filter((path) => !path.endsWith("/startedat")).length, 0);
  });

  test("leave nothing where the registry is disposed of before they are all there", async () => {
    const driver = new AtomicMemory();
    const registry = openRegistry({ driver });
    const ending = async function* (): AsyncGenerator<Uint8Array, void, void> {
      yield BYTES.subarray(0, 4);
      await registry[Symbol.asyncDispose]();
      yield BYTES.subarray(4);
    };
    await assert.rejects(registry.repository(NAME).uploads.put(ending(), DIGEST), RegistryClosed);
    assert.deepEqual(await driver.listUnfinished("/docker"), []);
    assert.deepEqual(await filesOf(driver), []);
  });

  test("go on behind bytes that the session has", async () => {
    const driver = new AtomicMemory();
    await using registry = openRegistry({ driver });
    const upload = await (await registry.repository(NAME).uploads.start()).append(BYTES.subarray(0, 4));
    await upload.finish(BYTES.subarray(4), DIGEST);
    assert.deepEqual(Buffer.from(await driver.getContent(BLOB)), BYTES);
  });
});

test("bytes that come all at once to another storage are those of a session, which is kept where they are wrong", async () => {
  const driver = new MemoryDriver();
  await using registry = openRegistry({ driver });
  const { uploads } = registry.repository(NAME);
  const upload = await uploads.start();
  await assert.rejects(upload.finish(Buffer.from("other"), DIGEST), DigestInvalid);
  assert.equal((await uploads.resume(upload.id)).size, 5);
  await upload.cancel();
  await assert.rejects(uploads.put(Buffer.from("other"), DIGEST), DigestInvalid);
  assert.deepEqual(await filesOf(driver), []);
  assert.equal((await uploads.put(BYTES, DIGEST)).size, BYTES.length);
  assert.deepEqual(await filesOf(driver), [BLOB, PATHS.layerLink(NAME, DIGEST)].sort());
});

async function filesOf(driver: StorageDriver): Promise<readonly string[]> {
  const contents = Object.entries(await contentsOf(driver));
  return contents.flatMap(([path, what]) => (what === "folder" ? [] : path)).sort();
}

/** A first chunk without a byte, and then nothing until nobody asks any more. */
function stalling(): { readonly content: AsyncIterable<Uint8Array>; readonly began: Promise<void> } {
  const { promise: began, resolve: begin } = Promise.withResolvers<void>();
  const content = async function* (): AsyncGenerator<Uint8Array, void, void> {
    yield new Uint8Array();
    begin();
    await new Promise(() => undefined);
  };
  return { content: content(), began };
}
