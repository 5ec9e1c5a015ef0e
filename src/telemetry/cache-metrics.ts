import { Histogram, type Registry } from "prom-client";
import { SECONDS } from "./buckets.ts";

/** What the peers call their calls. Ours always are of a repository, and ask for everything at once. */
export const OPERATIONS = ["Stat", "SetDescriptor", "RepoStat", "RepoSetDescriptor"] as const;

export type TimeCache = (operation: (typeof OPERATIONS)[number], seconds: number) => void;

/** All operations are there from the beginning, so that sums and rates over them are figures. */
export function timeCache(registry: Registry): TimeCache {
  const histogram = new Histogram({
    name: "registry_storage_cache_redis_seconds",
    help: "Time taken by Redis cache operations",
    labelNames: ["operation"],
    buckets: [...SECONDS],
    registers: [registry],
  });
  for (const operation of OPERATIONS) histogram.zero({ operation });
  return (operation, seconds) => histogram.observe({ operation }, seconds);
}
