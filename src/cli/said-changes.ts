/** What the log says of a configuration that was read again. */
import type { Log } from "../telemetry/log.ts";

export function sayNothingChanged(reason: string, log: Log): void {
  log.error(`the configuration was not reloaded, and the one before stays: ${reason}`);
}

/** @param keys changed and need a restart */
export function sayWhatStays(keys: readonly string[], log: Log): void {
  for (const key of keys) log.warn(`${key} changed; restart for it to take effect`);
}

export function sayWhatChanged(keys: readonly string[], log: Log): void {
  log.info(`configuration reloaded: ${keys.length === 0 ? "nothing" : keys.join(", ")} changed`);
}
