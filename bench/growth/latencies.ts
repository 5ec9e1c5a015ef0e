/** How long answers took, in ms. */
export class Latencies {
  readonly #sorted: Float64Array;

  constructor(taken: readonly number[]) {
    this.#sorted = Float64Array.from(taken).sort();
  }

  get count(): number {
    return this.#sorted.length;
  }

  /** @param share of all that took no longer, as 0.99 */
  at(share: number): number {
    return this.#sorted[Math.min(this.count - 1, Math.ceil(this.count * share) - 1)] ?? Number.NaN;
  }
}

/** For a table: p50, p99, p99.9 and the longest. */
export function quantiles(latencies: Latencies): readonly string[] {
  return [0.5, 0.99, 0.999, 1].map((share) => milliseconds(latencies.at(share)));
}

export function milliseconds(figure: number): string {
  return figure >= 100 ? String(Math.round(figure)) : figure >= 10 ? figure.toFixed(1) : figure.toFixed(2);
}

export function rate(figure: number): string {
  return String(Math.round(figure));
}
