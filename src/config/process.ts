/** The process's environment, which nobody else looks at. */
import type { Environment } from "./environment.ts";
import { parseTracing, type TracingConfig } from "./tracing.ts";

export function environment(): Environment {
  return process.env;
}

/** @throws {ConfigError} */
export function tracing(): TracingConfig | undefined {
  return parseTracing(environment());
}

/**
 * Gives libuv's pool, where every file is read and written, so many threads. Works only before the pool's first use; a
 * number that the operator's environment gives stays.
 */
export function sizeThreadPool(threads: number): void {
  process.env["UV_THREADPOOL_SIZE"] ??= String(threads);
}
