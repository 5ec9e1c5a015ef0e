import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BLOB, cacheContract, DIGEST, ONE } from "../../test/contract/cache.ts";
import { digestOf } from "../oci/digest.ts";
import { MemoryCache } from "./memory.ts";

cacheContract("in memory", async () => new MemoryCache({ entries: 100 }));
cacheContract("in memory, without a limit", async () => new MemoryCache({ entries: 0 }));

describe("an entry in memory", () => {
  it("counts for its lifetime from when it was set, however often it is asked for", async () => {
    let now = 1;
    const { blobs, revisions } = new MemoryCache({ entries: 10, lifetime: 1000, now: () => now });
    await blobs.set(ONE, DIGEST, BLOB);
    await revisions.set(ONE, DIGEST);
    for (const [at, counts] of [
      [500, true],
      [1000, true],
      [1002, false],
    ] as const) {
      now = at;
      assert.deepEqual(
        [(await blobs.get(ONE, DIGEST)) !== undefined, await revisions.has(ONE, DIGEST)],
        [counts, counts],
      );
    }
  });

  it("without a lifetime counts for ever", async () => {
    let now = 1;
    const { blobs } = new MemoryCache({ entries: 10, now: () => now });
    await blobs.set(ONE, DIGEST, BLOB);
    now = 1e12;
    assert.deepEqual(await blobs.get(ONE, DIGEST), BLOB);
  });

  it("gives way to newer ones beyond the limit", async () => {
    const { blobs } = new MemoryCache({ entries: 2 });
    const digests = ["a", "b", "c"].map((text) => digestOf(Buffer.from(text)));
    for (const digest of digests) await blobs.set(ONE, digest, { target: digest, size: 1 });
    const found = await Promise.all(digests.map((digest) => blobs.get(ONE, digest)));
    assert.deepEqual(
      found.map((blob) => blob !== undefined),
      [false, true, true],
    );
  });
});
