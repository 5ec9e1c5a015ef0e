/** What every descriptor cache does, wherever it keeps its entries. Each runs it in a few lines of its own test. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { CachedBlob, DescriptorCache } from "../../src/cache/descriptor-cache.ts";
import type { LookupCounts } from "../../src/cache/lookup-counts.ts";
import { type Digest, digestOf } from "../../src/oci/digest.ts";
import { parseRepositoryName, type RepositoryName } from "../../src/oci/names.ts";
import { parseTarsum } from "../../src/oci/tarsum.ts";

export const ONE: RepositoryName = parseRepositoryName("one");
export const TWO: RepositoryName = parseRepositoryName("two/of-them");
const BYTES = Buffer.from("some bytes");
export const DIGEST: Digest = digestOf(BYTES);
export const ALIAS: Digest = digestOf(BYTES, "sha512");
const TARSUM = parseTarsum(`tarsum.v1+sha256:${"5".repeat(64)}`);
const OTHER = digestOf(Buffer.from("other bytes"));
export const BLOB: CachedBlob = { target: DIGEST, size: BYTES.length };

/** The numbers of this moment. */
export function countsOf({ requests, hits, misses, errors }: LookupCounts): LookupCounts {
  return { requests, hits, misses, errors };
}

/** @param open an empty one for each test */
export function cacheContract(name: string, open: () => Promise<DescriptorCache>, skip: string | false = false): void {
  describe(`the descriptor cache ${name}`, { skip }, () => {
    const check = (what: string, work: (cache: DescriptorCache) => Promise<void>): void => {
      it(what, async () => {
        await using cache = await open();
        await work(cache);
      });
    };

    check("has nothing at first", async ({ blobs, revisions }) => {
      assert.equal(await blobs.get(ONE, DIGEST), undefined);
      assert.equal(await revisions.has(ONE, DIGEST), false);
      await blobs.clear(ONE, DIGEST);
      await revisions.clear(ONE, DIGEST);
    });

    check("gives a blob to the repository it was set for alone", async ({ blobs }) => {
      await blobs.set(ONE, DIGEST, BLOB);
      assert.deepEqual(await blobs.get(ONE, DIGEST), BLOB);
      assert.equal(await blobs.get(TWO, DIGEST), undefined);
      assert.equal(await blobs.get(ONE, OTHER), undefined);
    });

    check("knows what bytes lie under that are asked for by another digest", async ({ blobs }) => {
      for (const name of [ALIAS, TARSUM]) {
        await blobs.set(ONE, name, BLOB);
        assert.deepEqual(await blobs.get(ONE, name), BLOB);
      }
      assert.equal(await blobs.get(ONE, DIGEST), undefined);
    });

    check("knows that no bytes at all have a size", async ({ blobs }) => {
      const empty = { target: digestOf(Buffer.alloc(0)), size: 0 };
      await blobs.set(ONE, empty.target, empty);
      assert.deepEqual(await blobs.get(ONE, empty.target), empty);
    });

    check("gives the size that was set last, whoever set it", async ({ blobs }) => {
      await blobs.set(ONE, DIGEST, { ...BLOB, size: 3 });
      await blobs.set(TWO, DIGEST, BLOB);
      assert.deepEqual(await blobs.get(ONE, DIGEST), BLOB);
    });

    check("does not give a blob again that was cleared, when another repository has it still", async ({ blobs }) => {
      for (const name of [ONE, TWO]) await blobs.set(name, DIGEST, BLOB);
      await blobs.clear(ONE, DIGEST);
      assert.equal(await blobs.get(ONE, DIGEST), undefined);
      await blobs.set(TWO, DIGEST, BLOB);
      assert.equal(await blobs.get(ONE, DIGEST), undefined);
      assert.deepEqual(await blobs.get(TWO, DIGEST), BLOB);
    });

    check("has a manifest in the repository it was set for, until it is cleared", async ({ revisions }) => {
      for (const name of [ONE, TWO]) await revisions.set(name, DIGEST);
      assert.equal(await revisions.has(ONE, OTHER), false);
      await revisions.clear(ONE, DIGEST);
      assert.deepEqual([await revisions.has(ONE, DIGEST), await revisions.has(TWO, DIGEST)], [false, true]);
    });

    check("takes a blob and a manifest of one digest for two things", async ({ blobs, revisions }) => {
      await blobs.set(ONE, DIGEST, BLOB);
      assert.equal(await revisions.has(ONE, DIGEST), false);
      await revisions.set(ONE, DIGEST);
      await blobs.clear(ONE, DIGEST);
      assert.equal(await revisions.has(ONE, DIGEST), true);
      await blobs.set(TWO, DIGEST, BLOB);
      await revisions.clear(TWO, DIGEST);
      assert.deepEqual(await blobs.get(TWO, DIGEST), BLOB);
    });

    check(
      "counts each lookup as a hit or a miss, of blobs and of manifests apart",
      async ({ blobs, revisions, counts }) => {
        assert.ok(counts);
        for (let round = 0; round < 2; round++) await blobs.get(ONE, DIGEST);
        await blobs.set(ONE, DIGEST, BLOB);
        await blobs.get(ONE, DIGEST);
        await revisions.has(ONE, DIGEST);
        await revisions.set(ONE, DIGEST);
        for (let round = 0; round < 3; round++) await revisions.has(ONE, DIGEST);
        assert.deepEqual(countsOf(counts.blobs), { requests: 3, hits: 1, misses: 2, errors: 0 });
        assert.deepEqual(countsOf(counts.revisions), { requests: 4, hits: 3, misses: 1, errors: 0 });
      },
    );

    it("does not fail when it is used after its end", async () => {
      const cache = await open();
      await cache.blobs.set(ONE, DIGEST, BLOB);
      await cache[Symbol.asyncDispose]();
      await cache.blobs.get(ONE, DIGEST);
      await cache.blobs.set(ONE, DIGEST, BLOB);
      await cache.blobs.clear(ONE, DIGEST);
      await cache.revisions.has(ONE, DIGEST);
      await cache.revisions.set(ONE, DIGEST);
      await cache.revisions.clear(ONE, DIGEST);
    });
  });
}
