import { type BigIntStats, readFileSync, statSync } from "node:fs";
import { turnNow } from "../lib/turn.ts";

/** Bytes. */
const LIMIT = 8 * 1024 * 1024;

/** ms. A file that was changed so lately may be changed again without any of its times telling. */
const UNSETTLED = 100;

/**
 * A small file that others rewrite or replace. Looking whether they did takes 5 µs of the 60 of a request ("HEAD blob, bearer
 * token" of `npm run bench`), so one look serves all that ask in one turn of the event loop: they had begun to arrive before it.
 */
export class WatchedFile {
  readonly path: string;
  readonly #now: () => number;
  #seen: BigIntStats | undefined;
  #turn = -1;
  #text = "";

  /** @param now ms since 1970 */
  constructor(path: string, now: () => number = Date.now) {
    this.path = path;
    this.#now = now;
  }

  /**
   * @returns what it holds now
   * @throws {Error} where it cannot be read, or is no file of reasonable size
   */
  read(): string {
    const { path } = this;
    const before = this.#seen;
    const turn = turnNow();
    if (before && turn === this.#turn) return this.#text;
    this.#turn = turn;
    this.#seen = undefined;
    const stats = statSync(path, { bigint: true });
    if (before === undefined || !isSame(before, stats)) this.#text = readSmall(path, stats);
    if (Number(stats.ctimeMs) < this.#now() - UNSETTLED) this.#seen = stats;
    return this.#text;
  }
}

function readSmall(path: string, stats: BigIntStats): string {
  if (!stats.isFile()) throw new Error(`${path} is no file`);
  if (stats.size > LIMIT) throw new Error(`${path} has more than ${LIMIT} bytes`);
  return readFileSync(path, "utf8");
}

function isSame(one: BigIntStats, other: BigIntStats): boolean {
  return (
    one.ino === other.ino &&
    one.size === other.size &&
    one.mtimeNs === other.mtimeNs &&
    one.ctimeNs === other.ctimeNs &&
    one.dev === other.dev
  );
}
