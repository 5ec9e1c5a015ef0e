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

/** By whom servers elsewhere are reached: what `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` say, in either case. */
export function proxyVariables(): Readonly<Record<string, string>> {
  const entries = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"].flatMap((name) => {
    const value = process.env[name] || process.env[name.toLowerCase()];
    return value ? [[name, value] as const] : [];
  });
  return Object.fromEntries(entries);
}
