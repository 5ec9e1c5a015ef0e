import { LRUCache } from "lru-cache";
import type { Deletion } from "../cache/deletions.ts";

/** More than a worker has under way at once, some 300 bytes each. */
const MOST_DELETIONS = 4000;

/**
 * What each worker announced of late. It announces what it deletes before and after; where it ends between, whoever looked
 * between would remember for good what was there then, so all of it is to be told again.
 */
export class RecentDeletions<Source extends object> {
  readonly #most: number;
  readonly #of = new Map<Source, LRUCache<string, Deletion>>();

  constructor(most: number = MOST_DELETIONS) {
    this.#most = most;
  }

  note(source: Source, deletion: Deletion): void {
    const deletions = this.#of.get(source) ?? new LRUCache({ max: this.#most });
    this.#of.set(source, deletions);
    deletions.set(`${deletion.kind} ${deletion.repository} ${deletion.digest}`, deletion);
  }

  /** @returns what is to be told again, the latest first */
  leave(source: Source): readonly Deletion[] {
    const deletions = [...(this.#of.get(source)?.values() ?? [])];
    this.#of.delete(source);
    return deletions;
  }
}
