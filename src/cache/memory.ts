import { LRUCache } from "lru-cache";
import type { BlobDigest } from "../oci/blob-digest.ts";
import type { Digest } from "../oci/digest.ts";
import type { RepositoryName } from "../oci/names.ts";
import type { BlobCache, CachedBlob, DescriptorCache, RevisionCache } from "./descriptor-cache.ts";
import { type CacheCounts, LookupCounter } from "./lookup-counts.ts";

export interface MemoryCacheOptions {
  /** Of each level; 0 or less: 200000. */
  readonly entries: number;
  /** ms after which an entry no longer counts; not set: never, which is right where nobody else writes to the storage. */
  readonly lifetime?: number | undefined;
  /** ms, never going back */
  readonly now?: () => number;
}

/** "Without limit" still has to fit into a process: 100 MB or so. */
const MOST_ENTRIES = 200_000;

/** In this process. Two levels: which repository holds what, and by digest what that is. */
export class MemoryCache implements DescriptorCache {
  readonly blobs: BlobCache;
  readonly revisions: RevisionCache;
  readonly counts: CacheCounts;

  constructor(options: MemoryCacheOptions) {
    const counts = { blobs: new LookupCounter(), revisions: new LookupCounter() };
    this.blobs = new MemoryBlobs(options, counts.blobs);
    this.revisions = new MemoryRevisions(options, counts.revisions);
    this.counts = counts;
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

class MemoryBlobs implements BlobCache {
  readonly #held: LRUCache<string, true>;
  readonly #blobs: LRUCache<BlobDigest, CachedBlob>;
  readonly #counter: LookupCounter;

  constructor(options: MemoryCacheOptions, counter: LookupCounter) {
    this.#held = level(options);
    this.#blobs = level(options);
    this.#counter = counter;
  }

  async get(repository: RepositoryName, digest: BlobDigest): Promise<CachedBlob | undefined> {
    const isHeld = this.#held.get(keyOf(repository, digest)) === true;
    return this.#counter.note(isHeld ? this.#blobs.get(digest) : undefined);
  }

  async set(repository: RepositoryName, digest: BlobDigest, blob: CachedBlob): Promise<void> {
    this.#held.set(keyOf(repository, digest), true);
    this.#blobs.set(digest, blob);
  }

  async clear(repository: RepositoryName, digest: BlobDigest): Promise<void> {
    this.#held.delete(keyOf(repository, digest));
    this.#blobs.delete(digest);
  }
}

class MemoryRevisions implements RevisionCache {
  readonly #held: LRUCache<string, true>;
  readonly #counter: LookupCounter;

  constructor(options: MemoryCacheOptions, counter: LookupCounter) {
    this.#held = level(options);
    this.#counter = counter;
  }

  async has(repository: RepositoryName, digest: Digest): Promise<boolean> {
    return this.#counter.note(this.#held.get(keyOf(repository, digest))) === true;
  }

  async set(repository: RepositoryName, digest: Digest): Promise<void> {
    this.#held.set(keyOf(repository, digest), true);
  }

  async clear(repository: RepositoryName, digest: Digest): Promise<void> {
    this.#held.delete(keyOf(repository, digest));
  }
}

function level<K extends string, V extends object | true>({
  entries,
  lifetime,
  now,
}: MemoryCacheOptions): LRUCache<K, V> {
  return new LRUCache({
    maxSize: entries > 0 ? Math.min(entries, MOST_ENTRIES) : MOST_ENTRIES,
    sizeCalculation: () => 1, // not `max`, which has the room for all entries taken at once
    ttl: lifetime ?? 0,
    ttlResolution: 0,
    ...(now && { perf: { now } }),
  });
}

function keyOf(repository: RepositoryName, digest: BlobDigest): string {
  return `${repository} ${digest}`;
}
