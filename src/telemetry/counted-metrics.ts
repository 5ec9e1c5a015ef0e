import { Counter, Gauge, type Registry } from "prom-client";
import type { Counted, EndpointCounts, LookupCounts } from "./counted.ts";
import type { CountedSum } from "./counted-sum.ts";

/** Metrics of what {@link CountedSum} sums up, from when there is something of a kind. */
export class CountedMetrics {
  readonly #registry: Registry;
  readonly #sum: CountedSum;
  #hasCache = false;
  #hasEndpoints = false;

  constructor(registry: Registry, sum: CountedSum) {
    this.#registry = registry;
    this.#sum = sum;
  }

  /** Disposal, when the part ends, leaves its counts. */
  add(counted: Counted): Disposable {
    if (counted.cache && !this.#hasCache) tellCache(this.#registry, () => this.#sum.cache ?? NONE);
    if (counted.endpoints && !this.#hasEndpoints) tellEndpoints(this.#registry, () => this.#sum.endpoints);
    this.#hasCache ||= counted.cache !== undefined;
    this.#hasEndpoints ||= counted.endpoints !== undefined;
    return this.#sum.add(counted);
  }
}

const NONE: LookupCounts = { requests: 0, hits: 0, misses: 0, errors: 0 };

/** @see ops, section 4: in the words of 2.8 and of 3.x */
function tellCache(registry: Registry, counts: () => LookupCounts): void {
  const all = { name: "registry_storage_cache_total", help: "The number of cache request received" };
  counter(registry, all, ["type"], () => {
    const { requests, hits, misses } = counts();
    return [
      [{ type: "Request" }, requests],
      [{ type: "Hit" }, hits],
      [{ type: "Miss" }, misses],
    ];
  });
  for (const kind of ["requests", "hits", "errors"] as const) {
    const about = { name: `registry_storage_cache_${kind}_total`, help: `The number of cache ${kind}` };
    counter(registry, about, [], () => [[{}, counts()[kind]]]);
  }
}

const EVENTS = { Events: "events", Successes: "successes", Failures: "failures", Errors: "errors" } as const;

function tellEndpoints(registry: Registry, counts: () => readonly EndpointCounts[]): void {
  const events = { name: "registry_notifications_events_total", help: "The number of total events" };
  counter(registry, events, ["type", "endpoint"], () =>
    counts().flatMap((endpoint) =>
      Object.entries(EVENTS).map(([type, key]) => [{ type, endpoint: endpoint.name }, endpoint[key]] as const),
    ),
  );
  const statuses = { name: "registry_notifications_status_total", help: "The number of status code" };
  counter(registry, statuses, ["code", "endpoint"], () =>
    counts().flatMap(({ name, statuses }) =>
      Object.entries(statuses).map(([code, count]) => [{ code, endpoint: name }, count] as const),
    ),
  );
  const dropped = { name: "wharfinger_notifications_dropped_total", help: "Events that were given up" };
  counter(registry, dropped, ["endpoint"], () =>
    counts().map((endpoint) => [{ endpoint: endpoint.name }, endpoint.dropped] as const),
  );
  new Gauge({
    name: "registry_notifications_pending_total",
    help: "The gauge of pending events in queue",
    labelNames: ["endpoint"],
    aggregator: "max", // all workers see the same queue
    registers: [registry],
    collect() {
      this.reset();
      for (const { name, pending } of counts()) this.set({ endpoint: name }, pending);
    },
  });
}

/** The peers have these from the start, whether there is a pull-through cache or not. */
export function tellNoProxy(registry: Registry): void {
  for (const [kind, help] of Object.entries(PROXY)) {
    counter(registry, { name: `registry_proxy_${kind}_total`, help }, ["type"], () => [
      [{ type: "blob" }, 0],
      [{ type: "manifest" }, 0],
    ]);
  }
}

const PROXY: Readonly<Record<string, string>> = {
  requests: "The number of total incoming proxy request received",
  hits: "The number of total proxy request hits",
  misses: "The number of total proxy request misses",
  pulled_bytes: "The size of total bytes pulled from the upstream",
  pushed_bytes: "The size of total bytes pushed to the client",
};

type Sample = readonly [labels: Readonly<Record<string, string>>, count: number];

/** One whose counts are asked for when it is read. */
function counter(
  registry: Registry,
  { name, help }: { readonly name: string; readonly help: string },
  labelNames: readonly string[],
  read: () => readonly Sample[],
): void {
  new Counter({
    name,
    help,
    labelNames: [...labelNames],
    registers: [registry],
    collect() {
      this.reset();
      for (const [labels, count] of read()) this.inc({ ...labels }, count);
    },
  });
}
