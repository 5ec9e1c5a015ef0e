import { LRUCache } from "lru-cache";
import { KeyedLock } from "../lib/keyed-lock.ts";
import type { PublishedHash } from "../registry/upload-memory.ts";
import type { Hold } from "./calls.ts";

/** Why one that asks is refused; it comes to the worker as these words. */
export const TOO_MANY_WAIT = "too many wait";

/** Requests of all workers that wait for a name: far more only where the storage hangs. */
const MOST_WAITERS = 4000;

/** Sessions whose hash is kept, some 300 bytes each. */
const MOST_HASHES = 10_000;

/** Where all workers get what only one of them may have at a time, and leave what another one may need. */
export class Desk {
  readonly locks: KeyedLock = new KeyedLock({ limit: MOST_WAITERS, toError: () => new Error(TOO_MANY_WAIT) });
  /** Who is at an upload or waits for it, by its key. */
  readonly turns: Map<string, Set<() => void>> = new Map();
  readonly hashes: LRUCache<string, PublishedHash> = new LRUCache({ max: MOST_HASHES });

  /** @param stop tells the worker that another one wants what it has under an id */
  seat(stop: (id: number) => void): Seat {
    return new Seat(this, stop);
  }
}

/** One worker's place at the desk. Disposal, when the worker is gone, gives everything on that it had. */
export class Seat implements Disposable {
  readonly #desk: Desk;
  readonly #stop: (id: number) => void;
  readonly #held = new Map<number, () => void>();
  #gone = false;

  constructor(desk: Desk, stop: (id: number) => void) {
    this.#desk = desk;
    this.#stop = stop;
  }

  /** Resolves when it is held. @throws {Error} where too many wait */
  lock({ id, key, exclusive }: Hold & { readonly exclusive: boolean }): Promise<void> {
    const { locks } = this.#desk;
    return this.#hold(id, (work) => (exclusive ? locks.exclusive(key, work) : locks.shared(key, work)));
  }

  /** As {@link lock}, of an upload: whoever has it or waits for it already is told to stop. */
  async turn({ id, key }: Hold): Promise<void> {
    const { turns, locks } = this.#desk;
    const earlier = turns.get(key) ?? new Set();
    for (const stop of earlier) stop();
    const stop = (): void => this.#stop(id);
    turns.set(key, earlier.add(stop));
    const leave = (): void => {
      earlier.delete(stop);
      if (earlier.size === 0) turns.delete(key);
    };
    await this.#hold(id, (work) => locks.exclusive(`upload ${key}`, work).finally(leave));
  }

  release(id: number): void {
    this.#held.get(id)?.();
    this.#held.delete(id);
  }

  [Symbol.dispose](): void {
    this.#gone = true;
    for (const id of [...this.#held.keys()]) this.release(id);
  }

  #hold(id: number, take: (work: () => Promise<void>) => Promise<void>): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const work = async (): Promise<void> => {
      if (this.#gone) return;
      const { promise: released, resolve: release } = Promise.withResolvers<void>();
      this.#held.set(id, release);
      resolve();
      await released;
    };
    take(work).catch(reject);
    return promise;
  }
}
