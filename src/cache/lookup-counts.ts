/** How the lookups of a cache have ended since it was opened. Each number only grows. */
export interface CacheCounts {
  readonly blobs: LookupCounts;
  readonly revisions: LookupCounts;
}

/** Every lookup that ended is one of `requests`, and one of the others. */
export interface LookupCounts {
  readonly requests: number;
  readonly hits: number;
  readonly misses: number;
  /** Those whose cache was down, too slow, or had nonsense: the storage was asked because of that. */
  readonly errors: number;
}

/** Instead of what a lookup has found: that it could not be made. */
export const FAILED = "failed";

export class LookupCounter implements LookupCounts {
  hits = 0;
  misses = 0;
  errors = 0;

  get requests(): number {
    return this.hits + this.misses + this.errors;
  }

  /** Counts the end of one lookup. @returns what was found */
  note<T extends object | true>(found: T | typeof FAILED | undefined): T | undefined {
    if (found === FAILED) this.errors += 1;
    else if (found === undefined) this.misses += 1;
    else this.hits += 1;
    return found === FAILED ? undefined : found;
  }
}
