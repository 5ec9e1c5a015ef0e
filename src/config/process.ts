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

/** Where systemd's descriptors begin. */
const FIRST_INHERITED = 3;

/**
 * Descriptors of sockets that systemd listens on for us (socket activation). Taken once: no process started by this one
 * may think that they are its own.
 *
 * @see sd_listen_fds(3)
 */
export function takeInheritedSockets(): readonly number[] {
  const { LISTEN_PID, LISTEN_FDS } = process.env;
  for (const name of ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"]) delete process.env[name];
  const count = Number(LISTEN_FDS);
  if (Number(LISTEN_PID) !== process.pid || !Number.isSafeInteger(count) || count <= 0) return [];
  return Array.from({ length: count }, (_, index) => FIRST_INHERITED + index);
}
