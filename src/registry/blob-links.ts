import type { BlobCache, CachedBlob } from "../cache/descriptor-cache.ts";
import { NO_CACHE } from "../cache/without.ts";
import { ChangeWatch } from "../lib/change-watch.ts";
import { type BlobDigest, isTarsumDigest } from "../oci/blob-digest.ts";
import type { RepositoryName } from "../oci/names.ts";
import { type FoundBlob, findBlob } from "./blob-link.ts";
import { absentIfNotFound, writeLink } from "./links.ts";
import type { Store } from "./store.ts";

/**
 * Which blobs repositories link. A cache before the storage answers who only reads; whoever decides something by the
 * answer asks the storage.
 *
 * What is remembered was seen after the last change: a look that a deletion overlaps is not remembered, in this process by
 * the watch, in others by what their cache promises.
 */
export class BlobLinks {
  readonly #store: Store;
  readonly #cache: BlobCache;
  readonly #watch: ChangeWatch;

  /** @param watch that of everybody who uses the same cache, and told of what other processes delete */
  constructor(store: Store, cache: BlobCache, watch: ChangeWatch = new ChangeWatch()) {
    this.#store = store;
    this.#cache = cache;
    this.#watch = watch;
  }

  /** May be told of a blob that is gone, by as much as the cache lags behind. */
  async find(repository: RepositoryName, digest: BlobDigest): Promise<LinkedBlob | undefined> {
    const cached = await this.#cacheOf(digest).get(repository, digest);
    if (cached === undefined) return await this.#look(repository, digest);
    return { ...cached, modified: undefined, forget: () => this.forget(repository, digest) };
  }

  /** What the storage says. A cache that says otherwise is put right. */
  async findStored(repository: RepositoryName, digest: BlobDigest): Promise<LinkedBlob | undefined> {
    const found = await this.#look(repository, digest);
    if (found) return found;
    if (await this.#cacheOf(digest).get(repository, digest)) await this.forget(repository, digest);
    return undefined;
  }

  /** Durable when the promise resolves. The bytes of `blob` lie under its target, which gets a link too. */
  async write(repository: RepositoryName, digest: BlobDigest, blob: CachedBlob): Promise<void> {
    const { driver, paths } = this.#store;
    for (const name of new Set([blob.target, digest])) {
      using reading = this.#watch.begin(keyOf(repository, name));
      await writeLink(driver, paths.layerLink(repository, name), blob.target);
      if (!reading.outdated) await this.#cacheOf(name).set(repository, name, blob);
    }
  }

  /** @returns whether there was a link */
  async delete(repository: RepositoryName, digest: BlobDigest): Promise<boolean> {
    const { driver, paths } = this.#store;
    await this.forget(repository, digest); // first, should this process end before the second time
    try {
      const deleted = driver.delete(paths.layerLink(repository, digest)).then(() => true);
      return (await absentIfNotFound(deleted)) ?? false;
    } finally {
      await this.forget(repository, digest); // who looked between may have remembered it
    }
  }

  /** The next one to ask is answered by the storage. */
  async forget(repository: RepositoryName, digest: BlobDigest): Promise<void> {
    this.#watch.changed(keyOf(repository, digest));
    await this.#cache.clear(repository, digest);
  }

  async #look(repository: RepositoryName, digest: BlobDigest): Promise<LinkedBlob | undefined> {
    using reading = this.#watch.begin(keyOf(repository, digest));
    const found = await findBlob(this.#store, repository, digest);
    if (found && !reading.outdated)
      await this.#cacheOf(digest).set(repository, digest, { target: found.target, size: found.size });
    return found;
  }

  /** Caches keep what a digest names once for all repositories, and a tarsum may name other bytes in each of them. */
  #cacheOf(digest: BlobDigest): BlobCache {
    return isTarsumDigest(digest) ? NO_CACHE.blobs : this.#cache;
  }
}

export interface LinkedBlob extends FoundBlob {
  /** There where it was remembered: to be called when its bytes turn out not to be what they were. */
  readonly forget?: () => Promise<void>;
}

function keyOf(repository: RepositoryName, digest: BlobDigest): string {
  return `${repository} ${digest}`;
}
