/** A listing of which all is there already, so that nobody has to wait for each. */
export interface KnownListing<T> extends AsyncIterable<T> {
  readonly known: readonly T[];
}

export function isKnownListing<T>(entries: AsyncIterable<T>): entries is KnownListing<T> {
  return "known" in entries && Array.isArray(entries.known);
}

/**
 * @param all in order
 * @param after left out, with what comes before it
 */
export function knownListing<T extends string>(all: readonly T[], after: T | undefined): KnownListing<T> {
  const known = after === undefined ? all : all.slice(placeAfter(all, after));
  return {
    known,
    async *[Symbol.asyncIterator]() {
      yield* known;
    },
  };
}

function placeAfter<T>(all: readonly T[], bound: T): number {
  let [low, high] = [0, all.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((all[middle] as T) > bound) high = middle;
    else low = middle + 1;
  }
  return low;
}
