/**
 * Events that wait for their endpoints, in a SQLite file that several processes may share:
 *
 *     events     seq, endpoint, pull, queued (ms since 1970), body    a row for each event and endpoint
 *     endpoints  name, failing_since, failed_at, error                what people are told of an endpoint that fails
 *
 * `seq` is given within the transaction that adds, so its order is that of the commits. What {@link EventStore.add} was
 * asked to keep survives a power cut when it returns; what is delivered is deleted without waiting for the disk, so a power
 * cut may bring it back: it is then delivered twice.
 */
import { DatabaseSync, type StatementSync } from "node:sqlite";

export interface QueuedEvent {
  readonly endpoint: string;
  /** Pulls are the first to go where there is no room. */
  readonly pull: boolean;
  /** What is sent. */
  readonly body: string;
}

export interface StoredEvent {
  readonly seq: number;
  readonly body: string;
}

export interface StoreOptions {
  /** `:memory:` keeps nothing beyond the process. */
  readonly path: string;
  /** Bytes of the file, as far as it is in use. */
  readonly limit: number;
  /** ms since 1970 */
  readonly now: () => number;
}

/** Of the tables above. A file with another one is not touched. */
const VERSION = 1;

/** How long a transaction waits for that of another process. ms */
const PATIENCE = 5000;

/** After which what waits for an endpoint that this process does not know is taken for forgotten. ms */
const FORGOTTEN = 7 * 24 * 3_600_000;

/** Rows that go at once where there is no room. */
const CHUNK = 100;

/** Pages given back at once. */
const SHRINK = 1000;

const TABLES = `
  CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, endpoint TEXT NOT NULL, pull INTEGER NOT NULL, queued INTEGER NOT NULL, body TEXT NOT NULL
  ) STRICT;
  CREATE INDEX events_by_endpoint ON events (endpoint, seq);
  CREATE INDEX pulls ON events (seq) WHERE pull = 1;
  CREATE TABLE endpoints (
    name TEXT PRIMARY KEY, failing_since INTEGER NOT NULL, failed_at INTEGER NOT NULL, error TEXT NOT NULL
  ) STRICT;
  PRAGMA user_version = ${VERSION};`;

/** A file whose events can no longer be read. */
export class DamagedFile extends Error {
  override readonly name = "DamagedFile";
}

/** Synchronous, and slow as the disk is: to be used where nobody waits for anything else. */
export class EventStore implements Disposable {
  readonly #database: DatabaseSync;
  readonly #options: StoreOptions;
  readonly #statements: Statements;

  /** @throws {Error} where the file cannot be used, a {@link DamagedFile} where it is none of SQLite's any more */
  constructor(options: StoreOptions) {
    this.#options = options;
    this.#database = new DatabaseSync(options.path, { timeout: PATIENCE });
    try {
      prepareFile(this.#database);
      this.#statements = prepareStatements(this.#database);
    } catch (cause) {
      this.#database.close();
      throw isDamage(cause) ? new DamagedFile(cause.message, { cause }) : cause;
    }
  }

  /**
   * All of them or none, in one transaction.
   * @returns by endpoint how many older ones had to go
   * @throws {Error} where the disk is full or broken
   */
  add(events: readonly QueuedEvent[]): ReadonlyMap<string, number> {
    const queued = this.#options.now();
    this.#database.exec("PRAGMA synchronous = FULL");
    this.#transact(() => {
      for (const { endpoint, pull, body } of events) this.#statements.add.run(endpoint, pull ? 1 : 0, queued, body);
    });
    return this.#makeRoom();
  }

  /** The oldest behind `seq` that waits for an endpoint. */
  next(endpoint: string, seq: number): StoredEvent | undefined {
    return this.#statements.next.get(endpoint, seq) as StoredEvent | undefined;
  }

  /** Takes out what waits for an endpoint up to `seq`. */
  delivered(endpoint: string, seq: number): void {
    this.#database.exec("PRAGMA synchronous = NORMAL");
    this.#statements.delivered.run(endpoint, seq);
  }

  count(endpoint: string): number {
    return Number(this.#statements.count.get(endpoint)?.["count"]);
  }

  /** Changes whenever another process changed something. */
  get version(): number {
    return Number(this.#statements.version.get()?.["data_version"]);
  }

  /** Forgets an endpoint, with what waits for it. @returns how many that were */
  forget(endpoint: string): number {
    const count = this.count(endpoint);
    this.delivered(endpoint, Number.MAX_SAFE_INTEGER);
    this.noteSuccess(endpoint);
    return count;
  }

  /**
   * Forgets endpoints that are not among `names` where nothing has come for them in seven days: another process on the file
   * may know them.
   * @returns by name how many waited
   */
  forgetOthers(names: readonly string[]): ReadonlyMap<string, number> {
    const { others, newest } = this.#statements;
    const before = this.#options.now() - FORGOTTEN;
    const found = others.all().map(({ name }) => String(name));
    const forgotten = found.filter(
      (name) => !names.includes(name) && Number(newest.get(name, name)?.["newest"] ?? 0) < before,
    );
    return new Map(forgotten.map((name) => [name, this.forget(name)]));
  }

  noteFailure(endpoint: string, error: string): void {
    const now = this.#options.now();
    this.#database.exec("PRAGMA synchronous = NORMAL");
    this.#statements.failed.run(endpoint, now, now, error);
  }

  noteSuccess(endpoint: string): void {
    this.#database.exec("PRAGMA synchronous = NORMAL");
    this.#statements.succeeded.run(endpoint);
  }

  /** Gives some of what is no longer used back to the file system. */
  shrink(): void {
    this.#database.exec(`PRAGMA incremental_vacuum(${SHRINK})`);
  }

  /**
   * Reads all of it, which takes a second or two a gigabyte.
   * @throws {DamagedFile}
   */
  check(): void {
    const found = String(this.#database.prepare("PRAGMA quick_check(1)").get()?.["quick_check"]);
    if (found !== "ok") throw new DamagedFile(found.replaceAll("\n", " "));
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  get #used(): number {
    const { pages, unused } = this.#statements.size.get() as { pages: number; unused: number };
    return (pages - unused) * PAGE;
  }

  #makeRoom(): ReadonlyMap<string, number> {
    const dropped = new Map<string, number>();
    this.#database.exec("PRAGMA synchronous = NORMAL");
    while (this.#used > this.#options.limit) {
      const names = this.#dropSome();
      if (names.length === 0) break;
      for (const name of names) dropped.set(name, (dropped.get(name) ?? 0) + 1);
    }
    return dropped;
  }

  /**
   * The oldest pulls go first, then the oldest of all.
   * @returns whose they were; none where a full disk does not even take that: what was added is in any case
   */
  #dropSome(): readonly string[] {
    try {
      const pulls = this.#statements.dropPulls.all();
      const rows = pulls.length > 0 ? pulls : this.#statements.dropOldest.all();
      return rows.map(({ endpoint }) => String(endpoint));
    } catch {
      return [];
    }
  }

  #transact(work: () => void): void {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      work();
      this.#database.exec("COMMIT");
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }
}

/** SQLite's own default, said because sizes are counted in it. */
const PAGE = 4096;

function prepareFile(database: DatabaseSync): void {
  database.exec(`PRAGMA page_size = ${PAGE}; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL`);
  database.exec("BEGIN IMMEDIATE"); // of two processes that start together, one makes the tables
  const found = Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
  if (found === 0) database.exec(TABLES);
  database.exec("COMMIT");
  if (found > VERSION)
    throw new Error(`it has version ${found} and this program knows ${VERSION}: it is of a newer one`);
}

/** @see https://sqlite.org/rescode.html: the low byte is the kind of an error */
const DAMAGE: ReadonlySet<number> = new Set([11, 26]); // corrupt, not a database

function isDamage(error: unknown): error is Error {
  return error instanceof Error && "errcode" in error && DAMAGE.has(Number(error.errcode) & 0xff);
}

type Statements = ReturnType<typeof prepareStatements>;

function prepareStatements(database: DatabaseSync): Readonly<Record<keyof typeof SQL, StatementSync>> {
  const entries = Object.entries(SQL).map(([name, sql]) => [name, database.prepare(sql)]);
  return Object.fromEntries(entries);
}

const SQL = {
  add: "INSERT INTO events (endpoint, pull, queued, body) VALUES (?, ?, ?, ?)",
  next: "SELECT seq, body FROM events WHERE endpoint = ? AND seq > ? ORDER BY seq LIMIT 1",
  delivered: "DELETE FROM events WHERE endpoint = ? AND seq <= ?",
  count: "SELECT count(*) AS count FROM events WHERE endpoint = ?",
  others: "SELECT DISTINCT endpoint AS name FROM events UNION SELECT name FROM endpoints",
  newest: `SELECT max(
      coalesce((SELECT queued FROM events WHERE endpoint = ? ORDER BY seq DESC LIMIT 1), 0),
      coalesce((SELECT failed_at FROM endpoints WHERE name = ?), 0)
    ) AS newest`,
  version: "PRAGMA data_version",
  size: "SELECT page_count AS pages, freelist_count AS unused FROM pragma_page_count(), pragma_freelist_count()",
  dropPulls: `DELETE FROM events WHERE seq IN (SELECT seq FROM events WHERE pull = 1 ORDER BY seq LIMIT ${CHUNK}) RETURNING endpoint`,
  dropOldest: `DELETE FROM events WHERE seq IN (SELECT seq FROM events ORDER BY seq LIMIT ${CHUNK}) RETURNING endpoint`,
  failed: `INSERT INTO endpoints (name, failing_since, failed_at, error) VALUES (?, ?, ?, ?)
    ON CONFLICT (name) DO UPDATE SET failed_at = excluded.failed_at, error = excluded.error`,
  succeeded: "DELETE FROM endpoints WHERE name = ?",
} as const;
