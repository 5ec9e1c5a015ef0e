/** The process's environment, which nobody else looks at. */
import type { Environment } from "./environment.ts";

export function environment(): Environment {
  return process.env;
}

/**
 * Gives libuv's pool, where every file is read and written, so many threads. Works only before the pool's first use; a
 * number that the operator's environment gives stays.
 */
export function sizeThreadPool(threads: number): void {
  process.env["UV_THREADPOOL_SIZE"] ??= String(threads);
}
