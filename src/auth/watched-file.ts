import { type BigIntStats, readFileSync, statSync } from "node:fs";

/** Bytes. */
const LIMIT = 8 * 1024 * 1024;

/** ms. A file that was changed so lately may be changed again without any of its times telling. */
const UNSETTLED = 100;

/** A small file that others rewrite or replace. Looking whether they did costs some 2 µs. */
export class WatchedFile {
  readonly path: string;
  readonly #now: () => number;
  #seen: BigIntStats | undefined;
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
    const stats = statSync(this.path, { bigint: true });
    if (this.#seen && isSame(this.#seen, stats)) return this.#text;
    this.#seen = undefined;
    if (!stats.isFile()) throw new Error(`${this.path} is no file`);
    if (stats.size > LIMIT) throw new Error(`${this.path} has more than ${LIMIT} bytes`);
    this.#text = readFileSync(this.path, "utf8");
    if (Number(stats.ctimeMs) < this.#now() - UNSETTLED) this.#seen = stats;
    return this.#text;
  }
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
