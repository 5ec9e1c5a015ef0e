import { dirname, resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { type App, createApp } from "../app.ts";
import { ConfigError } from "../config/config-error.ts";
import { formatDuration } from "../config/duration.ts";
import { LONGEST_TIMER } from "../config/fields.ts";
import { type Locate, locatedError } from "../config/located-error.ts";
import { sizeThreadPool, takeInheritedSockets, tracing } from "../config/process.ts";
import { openInstruments } from "../instruments.ts";
import { SharedParts } from "../lib/shared-parts.ts";
import { openListener } from "../listener.ts";
import { StorageError } from "../storage/errors.ts";
import { Succession } from "../succession.ts";
import type { Log } from "../telemetry/log.ts";
import { drain } from "./drain.ts";
import { Failure } from "./failure.ts";
import type { HangUps } from "./hang-ups.ts";
import { listen, listenForDebugging } from "./listen.ts";
import { type LoadFlags, load } from "./load.ts";
import { openLogging } from "./logging.ts";
import { NewWarnings } from "./new-warnings.ts";

/** For what is closed after what was drained. ms */
const LEAST_PATIENCE = 1000;

/**
 * Serves until a signal comes.
 * @param hangUps asks for the configuration to be read again
 * @returns the exit code
 * @throws {Failure} for what keeps it from starting
 */
export async function serve(
  path: string | undefined,
  flags: LoadFlags,
  version: string,
  hangUps: HangUps,
): Promise<number> {
  const { config, warnings, source, locate } = load(path, flags);
  const { maxthreads } = config.storage.driver.parameters;
  if (typeof maxthreads === "number") sizeThreadPool(maxthreads);
  await using logging = await openLogging(config.log, version);
  const { log } = logging;
  const told = new NewWarnings(log);
  told.tell(warnings);
  await using instruments = await orFail(openInstruments(config, { ...logging, version, tracing }), locate);
  await using parts = new AsyncDisposableStack();
  const surroundings = { log, instruments, shared: new SharedParts(), folder: folderOf(source) };
  const apps = new Succession((error) => log.error({ err: error }, "what a reload left behind could not be closed"));
  const patience = (): number => apps.current?.config.http.draintimeout ?? 0;
  parts.defer(() => {
    const all = Promise.all([hangUps.ignore(), apps[Symbol.asyncDispose]()]);
    return inTime(all, Math.min(patience() + LEAST_PATIENCE, LONGEST_TIMER), log);
  });
  const listener = parts.use(await orFail(openListener(config, log, apps.answer), locate));
  await using first = new AsyncDisposableStack();
  const app = first.use(await orFail(createApp({ config, isStart: true, ...surroundings }), locate));
  await apps.follow(app);
  first.move();
  const stopped = signalled();
  if (instruments.debug) await listenForDebugging(instruments.debug, config.http.debug.addr, log);
  const inherited = inheritedSocket();
  const address = await listen(listener.server, config.http, inherited);
  log.info(`listening on ${inherited === undefined ? address : "the socket that systemd passed"}`);
  greet(log, app.location, source);
  if (!config.storage.maintenance.readonly.enabled) invite(log, address);
  const follow = async (next: App): Promise<void> => {
    await apps.follow(next);
    listener.become(next.config);
  };
  hangUps.heed(async () => {
    const running = apps.current ?? app;
    const renew = (): void => {
      running.reopenFiles(); // as programs that rotate logs expect
      listener.reload(); // and those that renew certificates
    };
    const { reload } = await import("./reload.ts");
    await reload({ renew, load: () => load(path, flags), told, logging, surroundings, running, follow });
  });
  const signal = await stopped;
  void hangUps.ignore();
  log.info(`${signal}: stopping server gracefully. Draining connections for ${formatDuration(patience())}`);
  return await drain(listener.server, patience(), log);
}

/**
 * What hangs, such as a storage that does not answer, keeps no process from ending.
 * @param patience ms
 */
async function inTime(closing: Promise<unknown>, patience: number, log: Log): Promise<void> {
  const end = new AbortController();
  const closed = closing.then(() => true);
  const late = setTimeout(patience, false, { signal: end.signal }).catch(() => true);
  const isClosed = await Promise.race([closed, late]);
  end.abort();
  if (!isClosed)
    log.error(`what was open could not be closed within ${patience} ms: the storage or the cache does not answer`);
}

/** @throws {Failure} for what an operator can mend */
async function orFail<T>(work: Promise<T>, locate: Locate): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    if (cause instanceof ConfigError)
      throw new Failure(`configuration error: ${locatedError(cause, locate).message}`, { cause });
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
