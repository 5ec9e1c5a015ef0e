import type { BlobCache, DescriptorCache, RevisionCache } from "./descriptor-cache.ts";

const NOTHING = Promise.resolve(undefined);
const NO = Promise.resolve(false);

/** A cache that answers no more from the moment its {@link end} is called; what must be cleared still is. */
export class EndingCache implements DescriptorCache {
  readonly blobs: BlobCache;
  readonly revisions: RevisionCache;
  readonly #cache: DescriptorCache;
  #ended = false;

  constructor(cache: DescriptorCache) {
    const { blobs, revisions } = cache;
    this.#cache = cache;
    this.blobs = {
      get: (...what) => (this.#ended ? NOTHING : blobs.get(...what)),
      set: (...what) => blobs.set(...what),
      clear: (...what) => blobs.clear(...what),
    };
    this.revisions = {
      has: (...what) => (this.#ended ? NO : revisions.has(...what)),
      set: (...what) => revisions.set(...what),
      clear: (...what) => revisions.clear(...what),
    };
  }

  end(): void {
    this.#ended = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cache[Symbol.asyncDispose]();
  }
}
