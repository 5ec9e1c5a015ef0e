import { type Hash, hash } from "node:crypto";
import { brokenTar } from "./tarsum-bytes.ts";
import { MOST_KEYS, orderOf } from "./tarsum-order.ts";

/** Bytes of what stands for a path. */
const PATH_KEY = 16;
/** Sums made text at once. */
const BATCH = 4096;

/**
 * The sums of an archive's entries: 48 bytes an entry of a sha256, 80 of a sha512, and 20 more while they are put in
 * order, however long the paths are.
 *
 * They are in ascending order of their hex, but those of one path are in the archive's. Docker gave both rules to a sort
 * as one comparison, which is an order only while no sum of another path belongs between two that the archive has the
 * other way round. Where one does, the outcome was its sort's own business, and is refused here.
 */
export class EntrySums {
  readonly #width: number;
  readonly #most: number;
  #sums: Buffer;
  #paths: Buffer;
  #count = 0;

  /**
   * @param width bytes of a sum
   * @param most entries
   */
  constructor(width: number, most: number) {
    this.#width = width;
    this.#most = Math.min(most, MOST_KEYS);
    this.#sums = Buffer.alloc(0);
    this.#paths = Buffer.alloc(0);
  }

  /** @throws {DigestInvalid} when there are too many */
  add(name: string, sum: Buffer): void {
    if (this.#count === this.#most) throw brokenTar(`it has more than ${this.#most} entries, too many to verify`);
    const at = this.#count++;
    this.#sums = withRoom(this.#sums, at * this.#width, this.#width);
    this.#paths = withRoom(this.#paths, at * PATH_KEY, PATH_KEY);
    sum.copy(this.#sums, at * this.#width);
    hash("sha256", pathOf(name), "buffer").copy(this.#paths, at * PATH_KEY, 0, PATH_KEY);
  }

  /**
   * The hex of all, in order.
   *
   * @throws {DigestInvalid} when the order is ambiguous
   */
  addTo(total: Hash): void {
    const order = this.#order();
    const batch = Buffer.alloc(BATCH * this.#width);
    for (let start = 0; start < order.length; start += BATCH) {
      const size = Math.min(BATCH, order.length - start);
      for (let at = 0; at < size; at++) this.#copySum(order[start + at] ?? 0, batch, at);
      total.update(batch.toString("hex", 0, size * this.#width));
    }
  }

  #copySum(i: number, target: Buffer, at: number): void {
    this.#sums.copy(target, at * this.#width, i * this.#width, (i + 1) * this.#width);
  }

  #order(): Uint32Array {
    const order = orderOf(this.#sums, this.#width, this.#count);
    const ranks = new Uint32Array(order.length);
    for (let rank = 0; rank < order.length; rank++) ranks[order[rank] ?? 0] = rank;
    const byPath = orderOf(this.#paths, PATH_KEY, this.#count);
    for (let start = 0; start < byPath.length; ) {
      const end = this.#endOfPath(byPath, start);
      if (end - start > 1) restoreArchiveOrder(byPath.subarray(start, end), ranks, order);
      start = end;
    }
    return order;
  }

  #endOfPath(byPath: Uint32Array, start: number): number {
    const keyAt = (at: number): number => (byPath[at] ?? 0) * PATH_KEY;
    const first = keyAt(start);
    const word = this.#paths.readUInt32BE(first);
    const isSame = (key: number): boolean =>
      this.#paths.readUInt32BE(key) === word &&
      this.#paths.compare(this.#paths, first, first + PATH_KEY, key, key + PATH_KEY) === 0;
    let end = start + 1;
    while (end < byPath.length && isSame(keyAt(end))) end++;
    return end;
  }
}

/** What counts as one path: `./a/` is `a`. */
function pathOf(name: string): string {
  return name.replace(/^\.\//, "").replace(/\/$/, "");
}

function withRoom(buffer: Buffer, used: number, more: number): Buffer {
  if (used + more <= buffer.length) return buffer;
  const larger = Buffer.alloc(Math.max(1024 * more, Math.ceil(buffer.length * 1.5)));
  buffer.copy(larger, 0, 0, used);
  return larger;
}

/**
 * Goes through the entries of one path in stretches, each the shortest after which only greater sums follow. Within a
 * stretch the archive's order differs from that of the sums, and no other path's sum may lie there.
 */
function restoreArchiveOrder(entries: Uint32Array, ranks: Uint32Array, order: Uint32Array): void {
  const rankAt = (at: number): number => ranks[entries[at] ?? 0] ?? 0;
  const leastFrom = suffixMinima(entries.length, rankAt);
  let start = 0;
  let greatest = -1;
  for (let at = 0; at < entries.length; at++) {
    greatest = Math.max(greatest, rankAt(at));
    if (greatest > (leastFrom[at + 1] ?? Number.POSITIVE_INFINITY)) continue;
    const least = leastFrom[start] ?? 0;
    if (greatest - least !== at - start) {
      throw brokenTar("a path occurs more than once and the order of its sums is ambiguous");
    }
    order.set(entries.subarray(start, at + 1), least);
    start = at + 1;
  }
}

function suffixMinima(length: number, rankAt: (at: number) => number): Uint32Array {
  const minima = new Uint32Array(length);
  let least = Number.POSITIVE_INFINITY;
  for (let at = length - 1; at >= 0; at--) {
    least = Math.min(least, rankAt(at));
    minima[at] = least;
  }
  return minima;
}
