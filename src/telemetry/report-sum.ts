import { AggregatorRegistry, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { EndpointCounts, LookupCounts } from "./counted.ts";
import { CountedSum } from "./counted-sum.ts";
import type { Counts, Usage } from "./debug-variables.ts";
import type { Metric, Report } from "./report.ts";

/**
 * What several processes told of themselves, as one. What one that has ended said last goes on to count, so no counter goes
 * back.
 */
export class ReportSum<Source extends object> {
  readonly #last = new Map<Source, Report>();
  readonly #counted = new CountedSum();
  readonly #parts = new Map<Source, Disposable>();
  /** Counters and histograms of those that have ended. */
  #gone: readonly (readonly Metric[])[] = [];
  #folding: Promise<void> | undefined;
  readonly #own = new Registry();

  constructor() {
    collectDefaultMetrics({ register: this.#own });
  }

  get contentType(): string {
    return this.#own.contentType;
  }

  note(source: Source, report: Report): void {
    this.#last.set(source, report);
    if (!this.#parts.has(source)) this.#parts.set(source, this.#counted.add(this.#countedBy(source, report)));
  }

  /** To be called when it has ended. */
  leave(source: Source): void {
    const { metrics } = this.#last.get(source) ?? {};
    this.#parts.get(source)?.[Symbol.dispose]();
    this.#parts.delete(source);
    this.#last.delete(source);
    if (metrics) this.#gone = [...this.#gone, metrics.filter(isCounted)]; // another array, for one may be folded now
  }

  /** In the text form of Prometheus, with the time at which this process began. */
  async metrics(): Promise<string> {
    await this.#fold();
    const living = [...this.#last.values()].flatMap(({ metrics }) => (metrics ? [metrics] : []));
    const sum = aggregated([...living, ...this.#gone, await this.#own.getMetricsAsJSON()]);
    const start = new Gauge({
      name: START,
      help: "Start time of the process since unix epoch in seconds.",
      registers: [],
    });
    start.set(Math.round(Date.now() / 1000 - process.uptime()));
    sum.registerMetric(start);
    return await sum.metrics();
  }

  /** Those of the workers look into one queue, so what waits there is not added up. */
  get counts(): Counts {
    const pending = new Map<string, number>();
    for (const { endpoints } of this.#last.values()) {
      for (const one of endpoints) pending.set(one.name, Math.max(one.pending, pending.get(one.name) ?? 0));
    }
    const endpoints = this.#counted.endpoints.map((one) => ({ ...one, pending: pending.get(one.name) ?? 0 }));
    return { cache: this.#counted.cache, endpoints };
  }

  /** With that of this process. */
  get usage(): Usage {
    const all = [...this.#last.values(), { memory: process.memoryUsage(), resources: process.resourceUsage() }];
    return { memory: added(all.map(({ memory }) => memory)), resources: added(all.map(({ resources }) => resources)) };
  }

  #countedBy(source: Source, { cache }: Report): Parameters<CountedSum["add"]>[0] {
    const last = (): Report | undefined => this.#last.get(source);
    const endpoints = (): readonly EndpointCounts[] => last()?.endpoints ?? [];
    return cache ? { endpoints, cache: () => last()?.cache ?? NONE } : { endpoints };
  }

  /** Once for all that ask meanwhile: a second one would put its own sum in the place of what came to the first. */
  #fold(): Promise<void> {
    this.#folding ??= this.#foldGone().finally(() => {
      this.#folding = undefined;
    });
    return this.#folding;
  }

  async #foldGone(): Promise<void> {
    const gone = this.#gone;
    if (gone.length < 2) return;
    const folded = await aggregated(gone).getMetricsAsJSON();
    this.#gone = [folded, ...this.#gone.slice(gone.length)];
  }
}

const START = "process_start_time_seconds";
const NONE: LookupCounts = { requests: 0, hits: 0, misses: 0, errors: 0 };

function isCounted({ type }: Metric): boolean {
  return COUNTED.has(String(type));
}

const COUNTED: ReadonlySet<string> = new Set(["counter", "histogram", "summary"]);

function aggregated(metrics: readonly (readonly Metric[])[]): Registry {
  return AggregatorRegistry.aggregate([...metrics] as object[]);
}

function added<T extends object>(all: readonly T[]): T {
  const sum: Record<string, number> = {};
  for (const one of all) {
    for (const [name, value] of Object.entries(one)) sum[name] = (sum[name] ?? 0) + Number(value);
  }
  return sum as T;
}
