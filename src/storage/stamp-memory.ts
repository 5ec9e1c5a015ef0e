import { LRUCache } from "lru-cache";
import type { FileStamp, StampingDriver } from "./driver.ts";
import { PathNotFound } from "./errors.ts";
import { isSameStamp, isSettled } from "./stamp.ts";

export interface StampMemoryOptions<T> {
  readonly takeStamp: StampingDriver["stampOf"];
  /** The same, or a stamp that was taken in this turn of the event loop. */
  readonly stampOfTurn: StampingDriver["stampOf"];
  /** @returns until when to wait before a stamp is taken; undefined where one may be taken now */
  readonly wait: () => Promise<void> | undefined;
  /** ms since 1970, by the clock that the file system has. */
  readonly now: () => number;
  /** Of all that is remembered, and of all paths that are known, each of which is one. */
  readonly mostSize: number;
  /** @returns undefined for what is not worth it */
  readonly sizeOf: (value: T) => number | undefined;
  /** How long something is remembered at most. ms */
  readonly life?: number;
}

interface Known<T> {
  readonly stamp: FileStamp;
  readonly value: T;
}

/** What was read of files or folders, each good as long as its stamp is the same. */
export class StampMemory<T> {
  readonly #options: StampMemoryOptions<T>;
  /** `known` is missing for a path of which only that is known that it was there. */
  readonly #paths: LRUCache<string, { readonly known?: Known<T> }>;

  constructor(options: StampMemoryOptions<T>) {
    const { mostSize, life = 0, now } = options;
    this.#options = options;
    this.#paths = new LRUCache({ maxSize: mostSize, ttl: life, ttlResolution: 0, perf: { now } });
  }

  /** @returns undefined where nothing is known, or it has changed */
  recall(path: string): T | undefined {
    const known = this.#paths.get(path)?.known;
    const stamp = known && this.#options.stampOfTurn(path);
    return stamp && isSameStamp(stamp, known.stamp) ? known.value : undefined;
  }

  /** Takes no stamp of a path that is asked for the first time: its inode may have to come from the disk. */
  async get(path: string, read: () => Promise<T>): Promise<T> {
    const entry = this.#paths.get(path);
    if (entry === undefined) return await this.#find(path, read);
    for (let turn = this.#options.wait(); turn; turn = this.#options.wait()) await turn;
    const now = this.#options.now();
    const before = this.#options.takeStamp(path);
    if (before && entry.known && isSameStamp(before, entry.known.stamp)) return entry.known.value;
    const value = await this.#find(path, read);
    if (before && isSettled(before, now)) this.#remember(path, value, before);
    return value;
  }

  /** @param before taken before `value` was read */
  #remember(path: string, value: T, before: FileStamp): void {
    const size = this.#options.sizeOf(value);
    const after = size && this.#options.takeStamp(path);
    if (after && isSameStamp(before, after)) this.#paths.set(path, { known: { stamp: before, value } }, { size });
  }

  /** What is asked for in vain is not kept: anybody can do that, with ever other names. */
  async #find(path: string, read: () => Promise<T>): Promise<T> {
    try {
      const value = await read();
      if (!this.#paths.has(path)) this.#paths.set(path, {}, { size: 1 });
      return value;
    } catch (error) {
      if (error instanceof PathNotFound) this.#paths.delete(path);
      throw error;
    }
  }
}
