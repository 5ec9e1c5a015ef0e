import { LRUCache } from "lru-cache";
import { decorate } from "../lib/decorate.ts";
import { TurnAllowance } from "../lib/turn-allowance.ts";
import { canStamp, type FileInfo, type FileStamp, type StampingDriver, type StorageDriver } from "./driver.ts";
import { PathNotFound } from "./errors.ts";
import { isSameStamp, isSettled, toFileInfo } from "./stamp.ts";

export interface RememberingOptions {
  /** Whether a path's content is worth remembering: a few bytes that are read again and again. */
  readonly contents: (path: string) => boolean;
  /** Whether a path is asked for its size again and again. */
  readonly stats: (path: string) => boolean;
  /** ms since 1970, by the clock that the file system has. */
  readonly now?: () => number;
}

/** Paths known. One costs half a KiB. */
const MOST_PATHS = 10_000;

/** Bytes of a content that is remembered. */
const LONGEST = 256;

/** Stamps taken before others get their turn again: half a millisecond. */
const STAMPS_A_TURN = 200;

/**
 * A driver that remembers small contents by the stamps of their files: as long as the stamp is the same, so are the bytes,
 * whoever else may write there. A path that was asked for before is looked at without a promise; the first time it may have
 * to come from the disk, which takes its time, and is waited for elsewhere.
 *
 * @returns `driver` where it gives no stamps; else one that owns it
 */
export function rememberingDriver(driver: StorageDriver, options: RememberingOptions): StorageDriver {
  if (!canStamp(driver)) return driver;
  const memory = new PathMemory(driver, options.now ?? Date.now);
  const { contents, stats } = options;
  return decorate(driver, {
    getContent: (path) => (contents(path) ? memory.getContent(path) : driver.getContent(path)),
    stat: (path) => (stats(path) ? memory.stat(path) : driver.stat(path)),
  });
}

interface Known {
  readonly stamp: FileStamp;
  /** A character a byte. */
  readonly content: string;
}

class PathMemory {
  readonly #driver: StampingDriver;
  readonly #stampOf: StampingDriver["stampOf"];
  readonly #now: () => number;
  readonly #allowance = new TurnAllowance(STAMPS_A_TURN);
  /** `undefined` for a path of which only that is known that it was there. */
  readonly #paths = new LRUCache<string, { readonly known: Known | undefined }>({ max: MOST_PATHS });

  constructor(driver: StampingDriver, now: () => number) {
    this.#driver = driver;
    this.#stampOf = driver.stampOf.bind(driver);
    this.#now = now;
  }

  async getContent(path: string): Promise<Uint8Array> {
    const entry = this.#paths.get(path);
    if (entry === undefined || !this.#allowance.take()) return await this.#find(path, this.#driver.getContent(path));
    const now = this.#now();
    const before = this.#stampOf(path);
    if (before && entry.known && isSameStamp(before, entry.known.stamp)) {
      return Buffer.from(entry.known.content, "latin1");
    }
    const content = await this.#find(path, this.#driver.getContent(path));
    if (before && isSettled(before, now)) this.#remember(path, content, before);
    return content;
  }

  async stat(path: string): Promise<FileInfo> {
    const stamp = this.#paths.get(path) && this.#allowance.take() ? this.#stampOf(path) : undefined;
    return stamp ? toFileInfo(stamp) : await this.#find(path, this.#driver.stat(path));
  }

  /** @param before taken before `content` was read */
  #remember(path: string, content: Uint8Array, before: FileStamp): void {
    if (content.length > LONGEST) return;
    const after = this.#stampOf(path);
    if (!after || !isSameStamp(before, after)) return;
    const text = Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString("latin1");
    this.#paths.set(path, { known: { stamp: before, content: text } });
  }

  /** What is asked for in vain is not kept: anybody can do that, with ever other names. */
  async #find<T>(path: string, finding: Promise<T>): Promise<T> {
    try {
      const found = await finding;
      if (!this.#paths.has(path)) this.#paths.set(path, { known: undefined });
      return found;
    } catch (error) {
      if (error instanceof PathNotFound) this.#paths.delete(path);
      throw error;
    }
  }
}
