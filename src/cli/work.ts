/** One of several processes that serve a registry together: everything but requests comes from its supervisor. */
import { changedKeys, withoutRestart } from "../config/changes.ts";
import type { LoadedConfig } from "../config/load.ts";
import { sizeThreadPool, tracing } from "../config/process.ts";
import { type Instruments, openInstruments } from "../instruments.ts";
import type { Begin, OfSupervisor, OfWorker, ReadFile } from "../workers/calls.ts";
import { Link } from "../workers/link.ts";
import { SOCKETS } from "../workers/member.ts";
import { SharedTally } from "../workers/shared-tally.ts";
import { SupervisedPeers } from "../workers/supervised-peers.ts";
import { Failure } from "./failure.ts";
import { loadRead } from "./load.ts";
import { type Logging, openLogging } from "./logging.ts";
import { goOn, located } from "./reload.ts";
import { type Control, orFail, serveUntil, signalled } from "./serving.ts";

/**
 * Serves until a signal comes, or the supervisor says so or is gone.
 * @returns the exit code
 * @throws {Failure}
 */
export async function work(version: string): Promise<number> {
  if (!process.connected) throw new Failure("this is for processes that serve starts: set wharfinger.workers");
  const worker = new Worker(version);
  return await worker.run();
}

class Worker {
  readonly #version: string;
  readonly #link: Link<OfSupervisor, OfWorker>;
  readonly #begin = Promise.withResolvers<Begin>();
  readonly #stop = Promise.withResolvers<string>();
  readonly #tally: SharedTally;
  #peers: SupervisedPeers | undefined;
  #instruments: Instruments | undefined;
  #logging: Logging | undefined;
  readonly #control = Promise.withResolvers<Control>();
  #isClosing = false;
  #changing: Promise<string | undefined> = Promise.resolve(undefined);

  constructor(version: string) {
    this.#version = version;
    process.once("disconnect", () => this.#stop.resolve("the supervisor is gone"));
    this.#link = new Link(process, {
      begin: (begin) => this.#begin.resolve(begin),
      stop: (id) => this.#peers?.stop(id),
      forget: (deletion) => this.#peers?.forget(deletion),
      elsewhere: (tally) => this.#tally.hear(tally),
      report: async () => await this.#instruments?.report(),
      reload: ({ file }) => this.#reload(file),
      ping: () => undefined,
      renew: () => this.#renew(),
      drain: (reason) => this.#stop.resolve(reason),
    });
    this.#tally = new SharedTally((tally) => this.#link.tell("tally", tally));
  }

  async run(): Promise<number> {
    const begin = await this.#begin.promise;
    const loaded = loadBegun(begin);
    const { config, locate } = loaded;
    const { maxthreads } = config.storage.driver.parameters;
    if (typeof maxthreads === "number") sizeThreadPool(maxthreads);
    await using logging = await openLogging(config.log, this.#version, begin.instance, { worker: begin.number });
    this.#logging = logging;
    const surroundings = { ...logging, version: this.#version, tracing, isReporting: true };
    await using instruments = await orFail(openInstruments(config, surroundings), locate);
    this.#instruments = instruments;
    this.#peers = new SupervisedPeers(this.#link, this.#tally, begin.secret);
    return await serveUntil(() => Promise.race([signalled(), this.#stop.promise]), {
      loaded,
      log: logging.log,
      instruments,
      peers: this.#peers,
      isStart: begin.isStart && begin.number === 1,
      listen: async (listener, location) => {
        const address = await listener.server.listen({ fds: SOCKETS });
        this.#link.tell("serving", { location, address });
      },
      heed: (control) => this.#control.resolve(control),
      ignore: async () => {
        this.#isClosing = true;
        await this.#changing;
      },
    });
  }

  /** @returns why everything stays as it is; undefined where the configuration counts */
  async #reload(file: ReadFile | undefined): Promise<string | undefined> {
    const control = await this.#control.promise; // one that still starts is asked when it serves
    const logging = this.#logging;
    if (this.#isClosing || !logging) return this.#refuse("it is being closed");
    this.#changing = this.#change(control, logging, file);
    return await this.#changing;
  }

  async #renew(): Promise<void> {
    const control = await this.#control.promise;
    if (!this.#isClosing) control.renew();
  }

  async #change(control: Control, logging: Logging, file: ReadFile | undefined): Promise<string | undefined> {
    const begin = await this.#begin.promise;
    try {
      control.renew();
      const loaded = loadRead(file, begin.path, begin.flags);
      const changing = control.changing();
      const next = withoutRestart(changing.running.config, loaded.config);
      if (changedKeys(changing.running.config, next).length === 0) {
        await this.#link.ask("agree", true); // the others wait for it
        return undefined;
      }
      await located(
        goOn(changing, next, () => this.#link.ask("agree", true)),
        loaded.locate,
      );
      await logging.change(next.log);
      return undefined;
    } catch (error) {
      return this.#refuse(error instanceof Error ? error.message : String(error));
    }
  }

  #refuse(reason: string): string {
    this.#link.ask("agree", false).catch(() => undefined);
    return reason;
  }
}

/** The configuration that counts: of what was reloaded, only that which took effect without a restart. */
function loadBegun({ first, current, path, flags }: Begin): LoadedConfig {
  const started = loadRead(first, path, flags);
  if (current?.text === first?.text) return started;
  const reloaded = loadRead(current, path, flags);
  return { ...reloaded, config: withoutRestart(started.config, reloaded.config) };
}
