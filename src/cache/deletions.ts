import type { DescriptorCache } from "./descriptor-cache.ts";

/** Something that a repository holds no more. */
export interface Deletion {
  readonly kind: "blob" | "revision";
  readonly repository: string;
  readonly digest: string;
}

/** Between processes that each remember what repositories hold. */
export interface Deletions {
  /**
   * Resolves when no other process answers by what it remembered before.
   * @throws {Unavailable} where the others cannot be told
   */
  announce(deletion: Deletion): Promise<void>;

  /** @param forget told, from now on, of what others announce; done with it when it returns */
  heed(forget: (deletion: Deletion) => void): Disposable;
}

/** A cache in each of several processes: what is cleared in one is cleared in all. Disposal disposes of `cache`. */
export function announcingCache(cache: DescriptorCache, deletions: Deletions): DescriptorCache {
  const heeding = deletions.heed(({ kind, repository, digest }) => {
    const level: { clear(...of: readonly string[]): Promise<void> } = kind === "blob" ? cache.blobs : cache.revisions;
    void level.clear(repository, digest); // in memory, and so at once
  });
  return {
    ...(cache.counts && { counts: cache.counts }),
    blobs: {
      get: (repository, digest) => cache.blobs.get(repository, digest),
      set: (repository, digest, blob) => cache.blobs.set(repository, digest, blob),
      clear: async (repository, digest) => {
        await cache.blobs.clear(repository, digest);
        await deletions.announce({ kind: "blob", repository, digest });
      },
    },
    revisions: {
      has: (repository, digest) => cache.revisions.has(repository, digest),
      set: (repository, digest) => cache.revisions.set(repository, digest),
      clear: async (repository, digest) => {
        await cache.revisions.clear(repository, digest);
        await deletions.announce({ kind: "revision", repository, digest });
      },
    },
    async [Symbol.asyncDispose]() {
      heeding[Symbol.dispose]();
      await cache[Symbol.asyncDispose]();
    },
  };
}
