import type { RevisionCache } from "../cache/descriptor-cache.ts";
import { ChangeWatch, type Reading } from "../lib/change-watch.ts";
import type { Digest } from "../oci/digest.ts";
import type { RepositoryName } from "../oci/names.ts";
import { absentIfNotFound, readLink, writeLink } from "./links.ts";
import type { Store } from "./store.ts";

/** Which manifests repositories link, with a cache before the storage as `BlobLinks` have one. */
export class RevisionLinks {
  readonly #store: Store;
  readonly #cache: RevisionCache;
  readonly #watch: ChangeWatch;

  /** @param watch that of everybody who uses the same cache, and told of what other processes delete */
  constructor(store: Store, cache: RevisionCache, watch: ChangeWatch = new ChangeWatch()) {
    this.#store = store;
    this.#cache = cache;
    this.#watch = watch;
  }

  /** May be told of a manifest that is gone, by as much as the cache lags behind. */
  async has(repository: RepositoryName, digest: Digest): Promise<boolean> {
    return (await this.#cache.has(repository, digest)) || (await this.read(repository, digest)) !== undefined;
  }

  /** What the storage says the bytes lie under. A cache that says otherwise is put right. */
  async read(repository: RepositoryName, digest: Digest): Promise<Digest | undefined> {
    using reading = this.#watch.begin(keyOf(repository, digest));
    const target = await readLink(this.#store.driver, this.#store.paths.revisionLink(repository, digest));
    if (target !== undefined) await this.#remember(repository, digest, reading);
    else if (await this.#cache.has(repository, digest)) await this.#forget(repository, digest);
    return target;
  }

  /** Durable when the promise resolves. */
  async write(repository: RepositoryName, digest: Digest): Promise<void> {
    using reading = this.#watch.begin(keyOf(repository, digest));
    await writeLink(this.#store.driver, this.#store.paths.revisionLink(repository, digest), digest);
    await this.#remember(repository, digest, reading);
  }

  /** @returns whether there was a link */
  async delete(repository: RepositoryName, digest: Digest): Promise<boolean> {
    const { driver, paths } = this.#store;
    await this.#forget(repository, digest);
    try {
      const deleted = driver.delete(paths.revisionLink(repository, digest)).then(() => true);
      return (await absentIfNotFound(deleted)) ?? false;
    } finally {
      await this.#forget(repository, digest);
    }
  }

  async #remember(repository: RepositoryName, digest: Digest, reading: Reading): Promise<void> {
    if (!reading.outdated) await this.#cache.set(repository, digest);
  }

  async #forget(repository: RepositoryName, digest: Digest): Promise<void> {
    this.#watch.changed(keyOf(repository, digest));
    await this.#cache.clear(repository, digest);
  }
}

function keyOf(repository: RepositoryName, digest: Digest): string {
  return `${repository} ${digest}`;
}
