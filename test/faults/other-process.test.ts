import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Digest, digestOf } from "../../src/oci/digest.ts";
import { BlobUnknown, ManifestUnknown, RangeInvalid, UploadUnknown } from "../../src/oci/errors.ts";
import { parseRepositoryName, parseTag } from "../../src/oci/names.ts";
import { PathMapper } from "../../src/registry/paths.ts";
import type { Repository, Upload } from "../../src/registry/registry.ts";
import { StorageRegistry } from "../../src/registry/storage-registry.ts";
import { PathNotFound } from "../../src/storage/errors.ts";
import { MemoryDriver } from "../../src/storage/memory.ts";
import { imageOf, indexOf } from "../support/image.ts";
import { KINDS } from "../support/manifest-kinds.ts";

const PATHS = new PathMapper();

const { manifest: content, blobs } = imageOf([]);
const { digest, mediaType } = content.descriptor;
const manifest = KINDS.parse(content.bytes, mediaType);
const tag = parseTag("tag");

describe("what another process does on the same storage in the midst of", () => {
  test("tagging: a manifest that it deletes gets no tag", async () => {
    const { driver, ours, theirs } = await openTwo();
    driver.interrupt("putContent", /\/current\/link$/, () => theirs.manifests.delete(digest));
    await assert.rejects(ours.tags.set(tag, digest), ManifestUnknown);
    assert.deepEqual(await Array.fromAsync(ours.tags.list()), []);
  });

  test("deleting a manifest: a tag that it sets goes too", async () => {
    const { driver, ours, theirs } = await openTwo();
    driver.interrupt("delete", /\/revisions\//, () => theirs.tags.set(tag, digest));
    assert.deepEqual(await ours.manifests.delete(digest), [tag]);
    assert.deepEqual(await Array.fromAsync(ours.tags.list()), []);
  });

  test("committing an upload: bytes that it appends do not get into the blob", async () => {
    const { driver, ours, theirs } = await openTwo();
    const [blob] = blobs;
    assert.ok(blob);
    await driver.delete(PATHS.blob(blob.descriptor.digest));
    const upload = await (await ours.uploads.start()).append(chunksOf(blob.bytes));
    driver.interrupt("move", /\/data$/, async () => {
      await (await theirs.uploads.resume(upload.id)).append(chunksOf(Buffer.from("more")));
    });
    await assert.rejects(upload.commit(blob.descriptor.digest), RangeInvalid);
    await assert.rejects(ours.blobs.open(blob.descriptor.digest), BlobUnknown);
    assert.equal((await ours.uploads.resume(upload.id)).size, blob.bytes.length + 4);
  });

  test("committing an upload that it appends to: the same blob, which it commits meanwhile, stays", async () => {
    const { driver, ours, theirs } = await openTwo();
    const bytes = Buffer.from("a layer");
    const digest = digestOf(bytes);
    const upload = await (await ours.uploads.start()).append(chunksOf(bytes));
    driver.interrupt("move", /\/data$/, async () => {
      await (await theirs.uploads.resume(upload.id)).append(chunksOf(Buffer.from("more")));
      await (await (await theirs.uploads.start()).append(chunksOf(bytes))).commit(digest);
    });
    await assert.rejects(upload.commit(digest), RangeInvalid);
    assert.equal((await theirs.blobs.open(digest)).descriptor.size, bytes.length);
    assert.deepEqual(Buffer.from(await driver.getContent(PATHS.blob(digest))), bytes);
    assert.equal((await ours.uploads.resume(upload.id)).size, bytes.length + 4);
  });

  test("tagging a manifest that it deletes: a tag that it sets anew stays", async () => {
    const { driver, ours, theirs, other } = await openTwo();
    driver.interrupt("putContent", /\/current\/link$/, async () => {
      await theirs.manifests.delete(digest);
      driver.interrupt("getContent", /\/revisions\//, () => theirs.tags.set(tag, other));
    });
    await assert.rejects(ours.tags.set(tag, digest), ManifestUnknown);
    assert.equal(await ours.tags.resolve(tag), other);
  });

  test("deleting a manifest: a tag of it that it points elsewhere stays", async () => {
    const { driver, ours, theirs, other } = await openTwo();
    const later = parseTag("tag-later");
    for (const one of [tag, later]) await ours.tags.set(one, digest);
    driver.interrupt("delete", /\/tags\/tag$/, () => theirs.tags.set(later, other));
    await ours.manifests.delete(digest);
    assert.deepEqual(await Array.fromAsync(ours.tags.list()), [later]);
    assert.equal(await ours.tags.resolve(later), other);
  });

  for (const who of ["we", "it"] as const) {
    for (const [what, go] of [
      ["append to", (upload: Upload) => upload.append(chunksOf(Buffer.from("more")))],
      ["commit", (upload: Upload) => upload.commit(digestOf(Buffer.from("some")))],
    ] as const) {
      test(`an upload that ${who} cancelled before we ${what} it is unknown and stays away`, async () => {
        const { driver, ours, theirs } = await openTwo();
        const upload = await (await ours.uploads.start()).append(chunksOf(Buffer.from("some")));
        const before = await ours.uploads.resume(upload.id);
        await (await (who === "we" ? ours : theirs).uploads.resume(upload.id)).cancel();
        await assert.rejects(go(before), UploadUnknown);
        await assert.rejects(driver.stat(PATHS.upload(ours.name, upload.id)), PathNotFound);
      });
    }
  }
});

type Call = "getContent" | "putContent" | "delete" | "move";

/** Runs something of another process right before one call. */
class InterruptedDriver extends MemoryDriver {
  #next: { readonly call: Call; readonly path: RegExp; readonly work: () => Promise<unknown> } | undefined;

  interrupt(call: Call, path: RegExp, work: () => Promise<unknown>): void {
    this.#next = { call, path, work };
  }

  override async getContent(path: string): Promise<Uint8Array> {
    await this.#before("getContent", path);
    return await super.getContent(path);
  }

  override async putContent(path: string, bytes: Uint8Array): Promise<void> {
    await this.#before("putContent", path);
    await super.putContent(path, bytes);
  }

  override async delete(path: string): Promise<void> {
    await this.#before("delete", path);
    await super.delete(path);
  }

  override async move(source: string, target: string): Promise<void> {
    await this.#before("move", source);
    await super.move(source, target);
  }

  async #before(call: Call, path: string): Promise<void> {
    const next = this.#next;
    if (next?.call !== call || !next.path.test(path)) return;
    this.#next = undefined;
    await next.work();
  }
}

interface Two {
  readonly driver: InterruptedDriver;
  readonly ours: Repository;
  readonly theirs: Repository;
  /** A manifest beside the one of the image. */
  readonly other: Digest;
}

/** Two registries that know nothing of each other, on one storage with one image and one index. */
async function openTwo(): Promise<Two> {
  const driver = new InterruptedDriver();
  const open = (): Repository => {
    const urls = { allow: undefined, deny: undefined, foreignByDefault: false };
    const references = { urls, requiresChild: () => true };
    const options = {
      deletion: true,
      readOnly: false,
      redirect: true,
      references,
      exclusive: false,
      schema1: false,
      tagConcurrency: 4,
    };
    return new StorageRegistry({ driver, paths: new PathMapper() }, KINDS, options, () => {}).repository(
      parseRepositoryName("shared"),
    );
  };
  const [ours, theirs] = [open(), open()];
  for (const { bytes, descriptor } of blobs) {
    await (await (await ours.uploads.start()).append(chunksOf(bytes))).commit(descriptor.digest);
  }
  await ours.manifests.put(manifest, digest);
  const index = indexOf([]).manifest;
  const other = index.descriptor.digest;
  await ours.manifests.put(KINDS.parse(index.bytes, index.descriptor.mediaType), other);
  return { driver, ours, theirs, other };
}

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  yield bytes;
}
