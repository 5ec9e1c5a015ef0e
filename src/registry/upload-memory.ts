import { LRUCache } from "lru-cache";
import { RangeInvalid } from "../oci/errors.ts";
import type { RestingHash } from "./running-hash.ts";

/** The hash of what a session holds, as this process received it. */
export interface HashedSession {
  readonly hash: RestingHash;
  /** Bytes hashed. */
  readonly size: number;
  /** The data's time when this process last closed it; undefined before the first byte. ms */
  readonly modified: number | undefined;
  /** The data's, likewise, where the storage tells. */
  readonly version?: string | undefined;
  /** Of bytes that need not be durable yet: see `FileWriter.settled`. */
  readonly settled?: Promise<void> | undefined;
}

/** Sessions whose hash is kept, under 1 KiB each; one beyond them may have its bytes read again at the end. */
const SESSION_LIMIT = 2048;

/** What this process knows of upload sessions beyond what the storage holds. Losing it costs time, never bytes. */
export class UploadMemory {
  readonly hashes: LRUCache<string, HashedSession> = new LRUCache({ max: SESSION_LIMIT });
  /** When sessions were begun that this process was asked for: that never changes. Whether they are there, the storage says. */
  readonly begun: LRUCache<string, Date> = new LRUCache({ max: SESSION_LIMIT });
  readonly #running = new Map<string, Turn>();

  /**
   * Runs `work` as the only one on its session in this process. One that still runs is told to stop through its signal
   * and waited for: the client came back, so its earlier request is dead or of no more use.
   */
  async takeTurn<R>(key: string, work: (signal: AbortSignal) => Promise<R>): Promise<R> {
    for (let other = this.#running.get(key); other; other = this.#running.get(key)) {
      other.stop.abort(new RangeInvalid("another request took over this upload"));
      await other.ended;
    }
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const stop = new AbortController();
    this.#running.set(key, { stop, ended });
    try {
      return await work(stop.signal);
    } finally {
      this.#running.delete(key);
      end();
    }
  }
}

interface Turn {
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}
