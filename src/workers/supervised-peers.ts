import type { Deletion } from "../cache/deletions.ts";
import type { Locks } from "../lib/locks.ts";
import { Unavailable } from "../oci/errors.ts";
import type { UploadPeers } from "../registry/upload-memory.ts";
import { StorageBusy } from "../storage/errors.ts";
import type { OfSupervisor, OfWorker } from "./calls.ts";
import { TOO_MANY_WAIT } from "./desk.ts";
import type { Link } from "./link.ts";
import type { Peers } from "./peers.ts";
import type { SharedTally } from "./shared-tally.ts";

/** The peers of a worker: everything goes through its supervisor. */
export class SupervisedPeers implements Peers {
  readonly locks: Locks;
  readonly uploads: UploadPeers;
  readonly deletions: Peers["deletions"];
  readonly limits: SharedTally;
  readonly secret: string;
  readonly #link: Link<OfSupervisor, OfWorker>;
  readonly #stops = new Map<number, () => void>();
  readonly #forgetting = new Set<(deletion: Deletion) => void>();
  #count = 0;

  constructor(link: Link<OfSupervisor, OfWorker>, limits: SharedTally, secret: string) {
    this.#link = link;
    this.limits = limits;
    this.secret = secret;
    this.locks = {
      shared: (key, work) => this.#locked(key, false, work),
      exclusive: (key, work) => this.#locked(key, true, work),
    };
    this.uploads = {
      takeTurn: (key, stop) => this.#takeTurn(key, stop),
      publish: (key, hash) => link.tell("publish", { key, hash }),
      find: (key) => link.ask("find", key).catch(() => undefined), // the bytes tell as well
    };
    this.deletions = {
      announce: (deletion) => answered(link.ask("announce", deletion)),
      heed: (forget) => this.#heed(forget),
    };
  }

  /** To be called where the supervisor says so. */
  stop(id: number): void {
    this.#stops.get(id)?.();
  }

  /** Likewise. */
  forget(deletion: Deletion): void {
    for (const forget of this.#forgetting) forget(deletion);
  }

  whileOwner(name: string, begin: () => AsyncDisposable): AsyncDisposable {
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    let [isEnded, isBegun] = [false, false];
    const owning = this.locks.exclusive(`work ${name}`, async () => {
      if (isEnded) return;
      isBegun = true;
      await using _work = begin();
      await ended;
    });
    owning.catch(() => undefined); // the supervisor is gone, and so is this process in a moment
    return {
      async [Symbol.asyncDispose]() {
        isEnded = true;
        end();
        if (isBegun) await owning;
      },
    };
  }

  async #locked<R>(key: string, exclusive: boolean, work: () => Promise<R>): Promise<R> {
    this.#count += 1;
    const id = this.#count;
    await answered(this.#link.ask("lock", { id, key, exclusive }));
    try {
      return await work();
    } finally {
      this.#link.tell("release", id);
    }
  }

  async #takeTurn(key: string, stop: () => void): Promise<Disposable> {
    this.#count += 1;
    const id = this.#count;
    this.#stops.set(id, stop);
    const give = (): void => {
      this.#stops.delete(id);
      this.#link.tell("release", id);
    };
    try {
      await answered(this.#link.ask("turn", { id, key }));
    } catch (error) {
      this.#stops.delete(id);
      throw error;
    }
    return { [Symbol.dispose]: give };
  }

  #heed(forget: (deletion: Deletion) => void): Disposable {
    this.#forgetting.add(forget);
    return { [Symbol.dispose]: () => void this.#forgetting.delete(forget) };
  }
}

/** @throws {StorageBusy | Unavailable} */
async function answered<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    if (reason === TOO_MANY_WAIT) throw new StorageBusy("the supervisor");
    const detail = `the worker cannot agree with the others: ${reason}`;
    throw new Unavailable(detail, { cause });
  }
}
