import { LRUCache } from "lru-cache";
import type { RepositoryName, Tag } from "../oci/names.ts";
import { canStamp, type FileStamp } from "../storage/driver.ts";
import { isSameStamp, isSettled } from "../storage/stamp.ts";
import type { Store } from "./store.ts";

/** Bytes of all lists together. */
const MOST_BYTES = 16 * 1024 * 1024;

/** What one tag costs: its text, its place in the list, and its text again in the list as it is printed. */
const BYTES_A_TAG = 96;

/**
 * How long a list is remembered. A link may go without a trace in the folder of all tags, as where a process that deletes a
 * tag is killed in the midst of it. ms
 */
const LIFE = 10_000;

interface KnownTags {
  readonly stamp: FileStamp;
  readonly tags: readonly Tag[];
}

/** All tags of repositories listed lately, each list good as long as the folder of the tags has the same stamp. */
export class TagLists {
  readonly #store: Store;
  readonly #now: () => number;
  readonly #lists: LRUCache<RepositoryName, KnownTags>;

  /** @param now ms since 1970, by the clock that the file system has */
  constructor(store: Store, now: () => number = Date.now) {
    this.#store = store;
    this.#now = now;
    const sizeCalculation = ({ tags }: KnownTags): number => (tags.length + 1) * BYTES_A_TAG;
    this.#lists = new LRUCache({ maxSize: MOST_BYTES, sizeCalculation, ttl: LIFE, ttlResolution: 0, perf: { now } });
  }

  /** In order. */
  get(repository: RepositoryName): readonly Tag[] | undefined {
    const known = this.#lists.get(repository);
    const stamp = known && this.#stampOf(repository);
    return stamp && isSameStamp(stamp, known.stamp) ? known.tags : undefined;
  }

  /**
   * To be called before the folder is listed.
   * @returns what remembers the list: all names in the folder, in order, each of which has a link. One without may get it
   *   at any time, and the folder stays the same.
   */
  begin(repository: RepositoryName): ((tags: readonly Tag[]) => void) | undefined {
    const now = this.#now();
    const stamp = this.#stampOf(repository);
    if (!stamp || !isSettled(stamp, now)) return undefined;
    return (tags) => {
      const after = this.#stampOf(repository);
      if (after && isSameStamp(stamp, after)) this.#lists.set(repository, { stamp, tags });
    };
  }

  #stampOf(repository: RepositoryName): FileStamp | undefined {
    const { driver, paths } = this.#store;
    return canStamp(driver) ? driver.stampOf(paths.tags(repository)) : undefined;
  }
}
