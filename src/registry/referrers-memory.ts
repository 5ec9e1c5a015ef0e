import { LRUCache } from "lru-cache";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import type { RepositoryName } from "../oci/names.ts";

/** What is known of one repository's referrers table. */
export interface TableState {
  /** Revisions whose subject, if any, is in the table. */
  readonly seen: Set<Digest>;
  /** Revisions' folders in which no manifest was to be read: deleted, damaged, or a peer is just making them. */
  unread: readonly Digest[];
  /** Times of the revisions' parents and of these folders' links when `seen` was last compared; undefined: do it again. */
  times: string | undefined;
  /** The storage has no times of folders, so it is not asked for them again. */
  timeless: boolean;
  /** `seen.size` when it was last written to the storage. */
  saved: number;
  /** By subject: referrers that belong in the table and could not be written there (read-only or full storage). */
  readonly unwritten: Map<Digest, Map<Digest, Descriptor>>;
}

export function newTableState(seen: Iterable<Digest>): TableState {
  const set = new Set(seen);
  return { seen: set, unread: [], times: undefined, timeless: false, saved: set.size, unwritten: new Map() };
}

/** Digests remembered over all repositories: some 100 bytes each. */
const DIGEST_LIMIT = 500_000;

/** The tables' states of the repositories asked about lately. */
export class ReferrersMemory {
  readonly #states: LRUCache<RepositoryName, TableState> = new LRUCache({
    max: 10_000,
    maxSize: DIGEST_LIMIT,
    sizeCalculation: ({ seen, unread, unwritten }) => 1 + seen.size + unread.length + 10 * unwritten.size,
  });

  get(repository: RepositoryName): TableState | undefined {
    return this.#states.get(repository);
  }

  /** Also to be called when a state has grown. */
  set(repository: RepositoryName, state: TableState): void {
    this.#states.delete(repository); // else the cache keeps the size that it knows
    this.#states.set(repository, state);
  }
}
