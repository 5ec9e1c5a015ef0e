/** What Prometheus reads. docs/metrics.md lists it all. */
import { collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { RequestObserver } from "../http/observer.ts";
import type { AroundStorageCall } from "../storage/observed-driver.ts";
import { type TimeCache, timeCache } from "./cache-metrics.ts";
import type { Counted } from "./counted.ts";
import { CountedMetrics, tellNoProxy } from "./counted-metrics.ts";
import type { CountedSum } from "./counted-sum.ts";
import { measureRequests } from "./http-metrics.ts";
import type { Metric } from "./report.ts";
import { storageTimer } from "./storage-metrics.ts";

export interface Metrics {
  readonly observer: RequestObserver;
  /** @param driver its name */
  timeStorage(driver: string): AroundStorageCall;
  /** Of a cache in Redis. To be called once. */
  timeCache(): TimeCache;
  readonly contentType: string;
  /** Adds what another part counts. Disposal, when that part ends, leaves its counts. */
  tell(counted: Counted): Disposable;
  read(): Promise<string>;
  /** For another process that sums them up. */
  report(): Promise<readonly Metric[]>;
}

export interface MetricsOptions {
  readonly version: string;
  /** Where {@link Metrics.tell} adds. */
  readonly counts: CountedSum;
  /** Names of all health checks, and which of them fail. */
  readonly health: { checks(): readonly string[]; failures(): Readonly<Record<string, string>> };
}

export function openMetrics({ version, health, counts }: MetricsOptions): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  tellOurs(registry, version, health);
  tellNoProxy(registry);
  const counted = new CountedMetrics(registry, counts);
  return {
    observer: measureRequests(registry),
    timeStorage: storageTimer(registry),
    timeCache: () => timeCache(registry),
    contentType: registry.contentType,
    tell: (part) => counted.add(part),
    read: () => registry.metrics(),
    report: () => registry.getMetricsAsJSON(),
  };
}

function tellOurs(registry: Registry, version: string, health: MetricsOptions["health"]): void {
  const build = new Gauge({
    name: "wharfinger_build_info",
    help: "1, labelled with the versions of the program and of Node",
    labelNames: ["version", "node"],
    aggregator: "first",
    registers: [registry],
  });
  build.set({ version, node: process.version }, 1);
  new Gauge({
    name: "wharfinger_health_check_up",
    help: "1 for a health check that counts as well, 0 for one that fails",
    labelNames: ["check"],
    aggregator: "min",
    registers: [registry],
    collect() {
      this.reset(); // checks come and go
      const failures = health.failures();
      for (const check of health.checks()) this.set({ check }, check in failures ? 0 : 1);
    },
  });
}
