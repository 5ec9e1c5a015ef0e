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

/** What a process tells of the hash of a session, for another one that ends it. */
export interface PublishedHash extends Omit<HashedSession, "settled"> {
  readonly hash: Pick<RestingHash, "algorithm" | "hex" | "fromStorage">;
}

/** Other processes that the requests of one session may come to. */
export interface UploadPeers {
  /**
   * Waits until no other process is at the session; one that is, is told to stop. Disposal gives it on.
   * @param stop told when another process asks for it
   */
  takeTurn(key: string, stop: () => void): Promise<Disposable>;
  publish(key: string, hash: PublishedHash): void;
  /** What another process published last; undefined also where nobody can be asked. */
  find(key: string): Promise<PublishedHash | undefined>;
}

/** Sessions whose hash is kept, under 1 KiB each; one beyond them may have its bytes read again at the end. */
const SESSION_LIMIT = 2048;

/** What this process knows of upload sessions beyond what the storage holds. Losing it costs time, never bytes. */
export class UploadMemory {
  readonly hashes: LRUCache<string, HashedSession> = new LRUCache({ max: SESSION_LIMIT });
  /** When sessions were begun that this process was asked for: that never changes. Whether they are there, the storage says. */
  readonly begun: LRUCache<string, Date> = new LRUCache({ max: SESSION_LIMIT });
  readonly #running = new Map<string, Turn>();
  readonly #peers: UploadPeers | undefined;

  constructor(peers?: UploadPeers) {
    this.#peers = peers;
  }

  /**
   * @param isLeft whether another process may end the session, which makes the bytes durable itself
   */
  keep(key: string, session: HashedSession, isLeft: boolean): void {
    this.hashes.set(key, session);
    if (!isLeft || !this.#peers) return;
    const { hash, size, modified, version } = session;
    const { algorithm, hex, fromStorage } = hash;
    this.#peers.publish(key, { hash: { algorithm, hex, fromStorage }, size, modified, version });
  }

  /** What another process knows, to end the session with. */
  async findElsewhere(key: string): Promise<HashedSession | undefined> {
    return await this.#peers?.find(key);
  }

  /**
   * Runs `work` as the only one on its session in this process and its peers. One that still runs is told to stop through its signal
   * and waited for: the client came back, so its earlier request is dead or of no more use.
   */
  async takeTurn<R>(key: string, work: (signal: AbortSignal) => Promise<R>): Promise<R> {
    for (let other = this.#running.get(key); other; other = this.#running.get(key)) {
      other.stop.abort(takenOver());
      await other.ended;
    }
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const stop = new AbortController();
    this.#running.set(key, { stop, ended });
    try {
      return await this.#amongPeers(key, stop, work);
    } finally {
      this.#running.delete(key);
      end();
    }
  }

  async #amongPeers<R>(key: string, stop: AbortController, work: (signal: AbortSignal) => Promise<R>): Promise<R> {
    if (!this.#peers) return await work(stop.signal);
    using _turn = await this.#peers.takeTurn(key, () => stop.abort(takenOver()));
    return await work(stop.signal);
  }
}

function takenOver(): RangeInvalid {
  return new RangeInvalid("another request took over this upload");
}

interface Turn {
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}
