/** A registry in several processes: this one serves no requests, it sees to those that do. */
import { changedKeys, withoutRestart } from "../config/changes.ts";
import type { Config } from "../config/config.ts";
import { formatDuration } from "../config/duration.ts";
import { randomSecret } from "../upload-secret.ts";
import type { ReadFile } from "../workers/calls.ts";
import { CannotBegin, Crew } from "../workers/crew.ts";
import type { Ending, Member } from "../workers/member.ts";
import { openSummary } from "../workers/summary.ts";
import { bind } from "./bind.ts";
import { greet, inheritedSocket, invite } from "./greeting.ts";
import { listenForDebugging } from "./listen.ts";
import { loadRead, readFile } from "./load.ts";
import { sayNothingChanged, sayWhatChanged, sayWhatStays } from "./said-changes.ts";
import type { Start } from "./serve-alone.ts";

export interface Supervision extends Start {
  /** Workers. */
  readonly size: number;
  /** That `loaded` was read from. */
  readonly file: ReadFile | undefined;
  /** The name of this registry in the log. */
  readonly instance: string;
}

/**
 * Has workers serve until a signal comes.
 * @returns the exit code
 * @throws {Failure} for what keeps it from starting
 */
export async function supervise(supervision: Supervision): Promise<number> {
  const { logging, loaded, hangUps, size } = supervision;
  const { log } = logging;
  const { config, source } = loaded;
  using bound = await bind(config.http, inheritedSocket());
  await using summary = await openSummary(config, supervision.version, log);
  const crew = openCrew(supervision, bound.fd, (member) => summary?.leave(member));
  using _crew = { [Symbol.dispose]: () => crew.kill() };
  const stopped = signalled(crew);
  try {
    const place = await Promise.race([crew.start(), stopped.then(() => undefined)]);
    if (summary) {
      summary.follow(crew);
      await listenForDebugging(summary.debug, config.http.debug.addr, log);
    }
    const address = bound.address ?? place?.address ?? "/";
    log.info(`listening on ${bound.address ?? "the socket that systemd passed"} with ${size} workers`);
    if (place) greet(log, place.location, source);
    if (!config.storage.maintenance.readonly.enabled) invite(log, address);
  } catch (error) {
    if (error instanceof CannotBegin) return error.code;
    throw error;
  }
  let running = config;
  hangUps.heed(async () => {
    running = await reload(supervision, crew, running);
    summary?.show(running);
  });
  const signal = await stopped;
  void hangUps.ignore();
  bound[Symbol.dispose](); // nobody is to wait for a connection that no worker accepts
  const { draintimeout } = running.http;
  log.info(`${signal}: stopping ${size} workers gracefully. Draining connections for ${formatDuration(draintimeout)}`);
  return await crew.drain(signal, draintimeout);
}

function openCrew({ logging, file, path, flags, size, instance }: Supervision, socket: number, onLeave: Leave): Crew {
  const { log } = logging;
  const begin = { first: file, path, flags, instance, secret: randomSecret() };
  return new Crew({
    ...{ size, begin, socket, onLeave },
    program: process.argv[1] ?? "",
    command: ["worker"],
    onDeath: (member, ending, wait) => log.error(deathOf(member, ending, wait)),
    onFailure: (number, error, wait) => log.error({ err: error }, failureOf(number, wait)),
    onReturn: ({ number, pid }) => log.info(`worker ${number} serves again as process ${pid}`),
  });
}

type Leave = (member: Member) => void;

function deathOf({ number, pid, reason }: Member, { code, signal }: Ending, wait: number): string {
  const how = `${signal ?? `exit code ${code}`}${reason === undefined ? "" : `, because ${reason}`}`;
  return `worker ${number} (process ${pid}) ended: ${how}; another one is started ${after(wait)}`;
}

function failureOf(number: number, wait: number): string {
  return `the system starts no process for worker ${number}; it is asked again ${after(wait)}`;
}

function after(wait: number): string {
  return wait === 0 ? "at once" : `in ${formatDuration(wait)}`;
}

/** @returns the configuration that counts from now on. Never rejects */
async function reload({ path, flags, told, logging }: Supervision, crew: Crew, running: Config): Promise<Config> {
  const { log } = logging;
  try {
    const file = readFile(path, flags);
    const loaded = loadRead(file, path, flags);
    told.tell(loaded.warnings);
    const next = withoutRestart(running, loaded.config);
    sayWhatStays(changedKeys(next, loaded.config), log);
    const reason = await crew.reload(file);
    if (reason !== undefined) throw new Error(reason);
    await logging.change(next.log);
    sayWhatChanged(changedKeys(running, next), log);
    return next;
  } catch (error) {
    crew.renew();
    sayNothingChanged(error instanceof Error ? error.message : String(error), log);
    return running;
  }
}

/** The first signal ends serving; a second one ends the process, as the system does it, and all workers. */
function signalled(crew: Crew): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let isSecond = false;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    const hear = (): void => {
      resolve(signal);
      if (!isSecond) {
        isSecond = true;
        return;
      }
      crew.kill();
      process.off(signal, hear);
      process.kill(process.pid, signal);
    };
    process.on(signal, hear);
  }
  return promise;
}
