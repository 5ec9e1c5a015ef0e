import type { Counted, EndpointCounts, LookupCounts } from "./counted.ts";

/** What several parts counted in turn or at once, as one: a part that ends leaves its counts, so none of them goes back. */
export class CountedSum {
  readonly #parts = new Set<Counted>();
  #lookups: LookupCounts | undefined;
  readonly #endpoints = new Map<string, EndpointCounts>();

  /** Disposal, when the part ends, keeps its last counts. */
  add(counted: Counted): Disposable {
    this.#parts.add(counted);
    return {
      [Symbol.dispose]: () => {
        if (this.#parts.delete(counted)) this.#keep(counted);
      },
    };
  }

  /** Undefined where there was no cache yet. */
  get cache(): LookupCounts | undefined {
    return [...this.#parts].reduce((sum, { cache }) => (cache ? sumOfLookups(sum, cache()) : sum), this.#lookups);
  }

  get endpoints(): readonly EndpointCounts[] {
    const sums = new Map(this.#endpoints);
    for (const { endpoints } of this.#parts) for (const counts of endpoints?.() ?? []) addTo(sums, counts);
    return [...sums.values()];
  }

  #keep({ cache, endpoints }: Counted): void {
    if (cache) this.#lookups = sumOfLookups(this.#lookups, cache());
    for (const counts of endpoints?.() ?? []) addTo(this.#endpoints, { ...counts, pending: 0 });
  }
}

function sumOfLookups(one: LookupCounts | undefined, other: LookupCounts): LookupCounts {
  if (!one) return other;
  return {
    requests: one.requests + other.requests,
    hits: one.hits + other.hits,
    misses: one.misses + other.misses,
    errors: one.errors + other.errors,
  };
}

function addTo(sums: Map<string, EndpointCounts>, counts: EndpointCounts): void {
  const before = sums.get(counts.name);
  sums.set(counts.name, before ? sumOfEndpoints(before, counts) : counts);
}

function sumOfEndpoints(one: EndpointCounts, other: EndpointCounts): EndpointCounts {
  const statuses = { ...one.statuses };
  for (const [text, count] of Object.entries(other.statuses)) statuses[text] = (statuses[text] ?? 0) + count;
  return {
    name: one.name,
    pending: one.pending + other.pending,
    events: one.events + other.events,
    successes: one.successes + other.successes,
    failures: one.failures + other.failures,
    errors: one.errors + other.errors,
    dropped: one.dropped + other.dropped,
    statuses,
  };
}
