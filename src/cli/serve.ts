import { dirname, resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { type App, createApp } from "../app.ts";
import { ConfigError } from "../config/config-error.ts";
import { LONGEST_TIMER } from "../config/fields.ts";
import { sizeThreadPool, takeInheritedSockets, tracing } from "../config/process.ts";
import { openObservability } from "../observability.ts";
import { StorageError } from "../storage/errors.ts";
import type { Log } from "../telemetry/log.ts";
import { drain } from "./drain.ts";
import { Failure } from "./failure.ts";
import { listen, listenForDebugging } from "./listen.ts";
import { type LoadFlags, load } from "./load.ts";
import { openLogging } from "./logging.ts";

/** For what is closed after what was drained. ms */
const LEAST_PATIENCE = 1000;

/**
 * Serves until a signal comes.
 * @returns the exit code
 * @throws {Failure} for what keeps it from starting
 */
export async function serve(path: string | undefined, flags: LoadFlags, version: string): Promise<number> {
  const { config, warnings, source } = load(path, flags);
  const { maxthreads } = config.storage.driver.parameters;
  if (typeof maxthreads === "number") sizeThreadPool(maxthreads);
  await using logging = await openLogging(config.log, version);
  const { log } = logging;
  for (const warning of warnings) log.warn(warning);
  await using watch = await orFail(openObservability(config, { ...logging, version, tracing }));
  await using parts = new AsyncDisposableStack();
  const app = await orFail(createApp(config, { log, watch }, folderOf(source)));
  parts.defer(() => close(app, Math.min(config.http.draintimeout + LEAST_PATIENCE, LONGEST_TIMER), log));
  const stopped = signalled();
  process.on("SIGHUP", () => {
    watch.reopenFiles(); // as programs that rotate logs expect
    app.reload(); // and those that renew certificates
  });
  if (watch.debug) await listenForDebugging(watch.debug, config.http.debug.addr, log);
  const address = await listen(app.server, config.http, inheritedSocket());
  greet(log, app.location, source);
  if (!config.storage.maintenance.readonly.enabled) invite(log, address);
  app.beginMaintenance();
  log.info(`${await stopped}: stopping server gracefully. Draining connections for ${config.http.draintimeout} ms`);
  return await drain(app.server, config.http.draintimeout, log);
}

/**
 * What hangs, such as a storage that does not answer, keeps no process from ending.
 * @param patience ms
 */
async function close(app: App, patience: number, log: Log): Promise<void> {
  const end = new AbortController();
  const closed = app[Symbol.asyncDispose]().then(() => true);
  const late = setTimeout(patience, false, { signal: end.signal }).catch(() => true);
  const inTime = await Promise.race([closed, late]);
  end.abort();
  if (!inTime)
    log.error(`what was open could not be closed within ${patience} ms: the storage or the cache does not answer`);
}

/** @throws {Failure} for what an operator can mend */
async function orFail<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    if (cause instanceof ConfigError) throw new Failure(`configuration error: ${cause.message}`, { cause });
    throw cause instanceof StorageError ? new Failure(cause.message, { cause }) : cause;
  }
}

/** Where modules that the configuration names are looked up. */
function folderOf(source: string | undefined): string {
  return source === undefined ? process.cwd() : dirname(resolve(source));
}

/** @throws {Failure} where systemd passed several, of which nobody knows which one is meant */
function inheritedSocket(): number | undefined {
  const [first, ...others] = takeInheritedSockets();
  if (others.length === 0) return first;
  throw new Failure(`systemd passed ${others.length + 1} sockets, but exactly one must be in the unit of the socket`);
}

/** Where the data is, and what decided it. */
function greet(log: Log, location: string, source: string | undefined): void {
  log.info(`data in ${location}, configuration ${source === undefined ? "built in" : `from ${source}`}`);
}

/** The line that pushes a first image. */
function invite(log: Log, address: string): void {
  if (address.startsWith("/")) return;
  const image = `${address.replace(/^(?:\[::\]|0\.0\.0\.0)(?=:)/, "localhost")}/busybox`;
  log.info(`push a first image: docker pull busybox && docker tag busybox ${image} && docker push ${image}`);
}

/** The first signal ends serving; a second one ends the process, as the system does it. */
function signalled(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve(signal));
  });
}
