import { LONGEST_READING } from "../lib/change-watch.ts";
import { Circuit } from "../lib/circuit.ts";
import { within } from "../lib/deadline.ts";
import type { BlobDigest } from "../oci/blob-digest.ts";
import type { RepositoryName } from "../oci/names.ts";
import type { BlobCache, CachedBlob, DescriptorCache, RevisionCache } from "./descriptor-cache.ts";
import { type CacheCounts, FAILED, LookupCounter } from "./lookup-counts.ts";
import { PendingClears } from "./pending-clears.ts";
import { type Command, type RedisConnection, RefusedCommand, type Reply } from "./redis-connection.ts";
import * as keys from "./redis-keys.ts";
import { type Retries, repeated } from "./retries.ts";

export interface RedisCacheOptions {
  /** The cache owns it. */
  readonly connection: RedisConnection;
  /** ms that a lookup waits for Redis. */
  readonly patience: number;
  /** Within that time; by default none. */
  readonly retries?: Retries;
  /** ms after which a manifest's entry no longer counts. */
  readonly revisionLifetime: number;
  /** ms until a Redis that is down is asked again. */
  readonly pause?: number;
  readonly warn: (message: string, fields: Readonly<Record<string, unknown>>) => void;
  /** Told how long each lookup and each entry took. */
  readonly time?: ((operation: "RepoStat" | "RepoSetDescriptor", seconds: number) => void) | undefined;
}

/** No reading that a deletion overlapped lasts so long, with all that may delay what it sends. ms */
const GUARDED = 2 * LONGEST_READING;

const PAUSE = 2000;

/** In Redis, for all nodes that share it (redis-keys.ts). What cannot be cleared now does not count here, and is cleared later. */
export class RedisCache implements DescriptorCache {
  readonly blobs: BlobCache;
  readonly revisions: RevisionCache;
  readonly counts: CacheCounts;
  readonly #options: RedisCacheOptions;
  readonly #circuit: Circuit;
  readonly #pending: PendingClears;
  #ended = false;

  constructor(options: RedisCacheOptions) {
    const { pause = PAUSE, revisionLifetime, warn } = options;
    this.#options = options;
    this.#pending = new PendingClears((commands) => this.#transact(commands), pause, warn);
    this.#circuit = new Circuit({
      pause,
      onDown: (error, first) => this.#leave(error, first),
      onBack: (spared) => warn("Redis answers again", { spared }),
    });
    const counts = { blobs: new LookupCounter(), revisions: new LookupCounter() };
    this.counts = counts;
    this.blobs = {
      get: async (...blob) => counts.blobs.note(await this.#timed("RepoStat", this.#getBlob(...blob))),
      set: (repository, digest, blob) =>
        this.#set(keys.blobEntry(repository, digest), keys.setBlob(repository, digest, blob)),
      clear: (...blob) => this.#pending.clear(keys.blobEntry(...blob), keys.clearBlob(...blob, GUARDED)),
    };
    this.revisions = {
      has: async (...revision) => {
        const found = await this.#timed("RepoStat", this.#findRevision(keys.revisionEntry(...revision)));
        return counts.revisions.note(found) === true;
      },
      set: (...revision) => {
        const entry = keys.revisionEntry(...revision);
        return this.#set(entry, [keys.setRevision(entry, revisionLifetime)]);
      },
      clear: (...revision) => {
        const entry = keys.revisionEntry(...revision);
        return this.#pending.clear(entry, [keys.clearRevision(entry, GUARDED)]);
      },
    };
  }

  /** Waits a moment for the first connection, and warns where there is none. */
  async begin(): Promise<void> {
    try {
      await within(FIRST_CONNECTION, this.#options.connection.ready);
    } catch (error) {
      this.#circuit.open(error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await using _last = this.#options.connection;
    await this.#pending.end();
    this.#ended = true;
  }

  #leave(error: unknown, first: boolean): void {
    const { connection } = this.#options;
    const cause = error instanceof RefusedCommand ? error : (connection.problem() ?? error);
    connection.renew();
    if (!first) return;
    const reason = reasonOf(cause);
    this.#options.warn("Redis does not answer; lookups go to the storage until it is back", { reason });
  }

  async #timed<T>(operation: "RepoStat" | "RepoSetDescriptor", work: Promise<T>): Promise<T> {
    const begin = performance.now();
    const result = await work;
    this.#options.time?.(operation, (performance.now() - begin) / 1000);
    return result;
  }

  async #getBlob(repository: RepositoryName, digest: BlobDigest): Promise<CachedBlob | typeof FAILED | undefined> {
    const replies = await this.#read(keys.blobEntry(repository, digest), keys.getBlob(repository, digest));
    if (replies === FAILED || replies === undefined) return replies;
    const blob = keys.parseBlob(digest, replies);
    if (blob !== "garbage") return blob;
    await this.#send([keys.dropFields(digest)]);
    return FAILED;
  }

  async #findRevision(entry: string): Promise<true | typeof FAILED | undefined> {
    const replies = await this.#read(entry, [keys.getRevision(entry)]);
    if (replies === FAILED || replies === undefined) return replies;
    const [reply] = replies;
    if (!keys.isGarbage(reply)) return keys.isHeld(reply) || undefined;
    await this.#send([keys.dropKey(entry)]);
    return FAILED;
  }

  /** @returns undefined where an answer would not count, because the entry is to be cleared */
  async #read(entry: string, commands: readonly Command[]): Promise<readonly Reply[] | typeof FAILED | undefined> {
    if (this.#pending.has(entry)) return undefined;
    const replies = await this.#send(commands);
    if (replies === undefined) return FAILED;
    const wrong = commands.filter((_, index) => isWrongType(replies[index]));
    if (wrong.length > 0) await this.#send(wrong.map(({ key }) => keys.dropKey(key)));
    if (wrong.length > 0) return FAILED;
    return this.#pending.has(entry) ? undefined : replies;
  }

  async #set(entry: string, commands: readonly Command[]): Promise<void> {
    if (!this.#pending.has(entry)) await this.#timed("RepoSetDescriptor", this.#send(commands));
  }

  /** @returns undefined where Redis has no answer now; the circuit tells of it */
  async #send(commands: readonly Command[]): Promise<readonly Reply[] | undefined> {
    try {
      return await this.#call((connection) => connection.send(commands));
    } catch {
      return undefined;
    }
  }

  /** @throws {Error} where it may not be done */
  async #transact(commands: readonly Command[]): Promise<void> {
    const replies = await this.#call((connection) => connection.transact(commands));
    const wrong = commands.filter((_, index) => isWrongType(replies[index]));
    if (wrong.length > 0) await this.#call((connection) => connection.send(wrong.map(({ key }) => keys.dropKey(key))));
  }

  #call(ask: (connection: RedisConnection) => Promise<readonly Reply[]>): Promise<readonly Reply[]> {
    const { connection, patience, retries } = this.#options;
    if (this.#ended) return Promise.reject(new Error("the cache was closed"));
    const attempt = async (): Promise<readonly Reply[]> => accepted(await ask(connection));
    if (!retries || retries.most <= 0) return this.#circuit.run(() => within(patience, attempt()));
    return this.#circuit.run(async () => {
      const end = new AbortController();
      try {
        return await within(patience, repeated(attempt, retries, end.signal));
      } finally {
        end.abort();
      }
    });
  }
}

/** @throws {RefusedCommand} */
function accepted(replies: readonly Reply[]): readonly Reply[] {
  const refused = replies.find((reply) => reply instanceof RefusedCommand && !reply.isWrongType);
  if (refused) throw refused;
  return replies;
}

/** Of several addresses of one name, the last one's. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors.at(-1));
  return error instanceof Error ? error.message || error.name : String(error);
}

/** ms that a start waits for Redis. */
const FIRST_CONNECTION = 1000;

function isWrongType(reply: Reply | undefined): boolean {
  return reply instanceof RefusedCommand && reply.isWrongType;
}
