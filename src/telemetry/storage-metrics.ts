import { Histogram, type Registry } from "prom-client";
import type { AroundStorageCall, StorageAction } from "../storage/observed-driver.ts";
import { SECONDS } from "./buckets.ts";

/** Reading and writing take as long as their client does. */
const UNTIMED: ReadonlySet<StorageAction> = new Set(["Reader", "Writer"]);

/**
 * @returns what times the calls of a driver, by its name
 * @see ops, section 4
 */
export function storageTimer(registry: Registry): (driver: string) => AroundStorageCall {
  const histogram: Seconds = new Histogram({
    name: "registry_storage_action_seconds",
    help: "The number of seconds that the storage action takes",
    labelNames: ["driver", "action"],
    buckets: [...SECONDS],
    registers: [registry],
  });
  return (driver) => timeStorage(histogram, driver);
}

type Seconds = Histogram<"driver" | "action">;

function timeStorage(histogram: Seconds, driver: string): AroundStorageCall {
  const children = new Map<StorageAction, Histogram.Internal<"driver" | "action">>();
  const childOf = (action: StorageAction): Histogram.Internal<"driver" | "action"> => {
    const known = children.get(action);
    if (known) return known;
    const child = histogram.labels(driver, action);
    children.set(action, child);
    return child;
  };
  return async ({ action }, proceed) => {
    if (UNTIMED.has(action)) return await proceed();
    const begin = performance.now();
    try {
      return await proceed();
    } finally {
      childOf(action).observe((performance.now() - begin) / 1000);
    }
  };
}
