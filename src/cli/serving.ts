import { dirname, resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { type App, createApp } from "../app.ts";
import { ConfigError } from "../config/config-error.ts";
import { formatDuration } from "../config/duration.ts";
import { LONGEST_TIMER } from "../config/fields.ts";
import type { LoadedConfig } from "../config/load.ts";
import { type Locate, locatedError } from "../config/located-error.ts";
import type { Instruments } from "../instruments.ts";
import { SharedParts } from "../lib/shared-parts.ts";
import { type Listener, openListener } from "../listener.ts";
import { StorageError } from "../storage/errors.ts";
import { Succession } from "../succession.ts";
import type { Log } from "../telemetry/log.ts";
import type { Peers } from "../workers/peers.ts";
import { drain } from "./drain.ts";
import { Failure } from "./failure.ts";
import { calmPool } from "./pool-threads.ts";
import type { Changing } from "./reload.ts";

/** For what is closed after what was drained. ms */
const LEAST_PATIENCE = 1000;

export interface Serving {
  readonly loaded: Pick<LoadedConfig, "config" | "source" | "locate">;
  readonly log: Log;
  readonly instruments: Instruments;
  /** Not set where this process serves alone. */
  readonly peers?: Peers | undefined;
  /** Whether the registry starts, and not only a process of it. */
  readonly isStart: boolean;
  /** Called when all is ready: has `listener` take connections. @param location where the data is */
  readonly listen: (listener: Listener, location: string) => Promise<void>;
  /** From now on the configuration may be changed, with what this gives. */
  readonly heed: (control: Control) => void;
  /** From now on it may not. Resolves when no change is under way. */
  readonly ignore: () => Promise<void>;
}

/** What can be asked of a registry that serves. */
export interface Control {
  /** Has files read or opened again that may have been replaced. */
  renew(): void;
  /** What a change of the configuration begins with. */
  changing(): Changing;
}

/**
 * Serves in this process until it is to stop.
 * @param stopped called when there is something to stop; resolves with the reason
 * @returns the exit code
 * @throws {Failure} for what keeps it from starting
 */
export async function serveUntil(stopped: () => Promise<string>, serving: Serving): Promise<number> {
  const { loaded, log, instruments, peers, isStart } = serving;
  const { config, source, locate } = loaded;
  await using parts = new AsyncDisposableStack();
  const surroundings = { log, instruments, shared: new SharedParts(), folder: folderOf(source), peers };
  const apps = new Succession((error) => log.error({ err: error }, "what a reload left behind could not be closed"));
  const patience = (): number => apps.current?.config.http.draintimeout ?? 0;
  parts.defer(() => {
    const all = Promise.all([serving.ignore(), apps[Symbol.asyncDispose]()]);
    return inTime(all, Math.min(patience() + LEAST_PATIENCE, LONGEST_TIMER), log);
  });
  const listener = parts.use(await orFail(openListener(config, log, apps.answer, peers?.limits), locate));
  await using first = new AsyncDisposableStack();
  const app = first.use(await orFail(createApp({ config, isStart, ...surroundings }), locate));
  await apps.follow(app);
  first.move();
  const reason = stopped();
  await serving.listen(listener, app.location);
  const follow = async (next: App): Promise<void> => {
    await apps.follow(next);
    listener.become(next.config);
  };
  parts.use(calmPool((err) => log.debug({ err }, "the policy of the pool's threads could not be set")));
  serving.heed({
    renew: () => {
      (apps.current ?? app).reopenFiles(); // as programs that rotate logs expect
      listener.reload(); // and those that renew certificates
    },
    changing: () => ({ surroundings, running: apps.current ?? app, follow }),
  });
  const why = await reason;
  void serving.ignore();
  log.info(`${why}: stopping server gracefully. Draining connections for ${formatDuration(patience())}`);
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
export async function orFail<T>(work: Promise<T>, locate: Locate): Promise<T> {
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

/** The first signal ends serving; a second one ends the process, as the system does it. */
export function signalled(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve(signal));
  });
}
