import { type Hash, hash } from "node:crypto";
import { brokenTar } from "./tarsum-bytes.ts";
import { TarsumKeys } from "./tarsum-keys.ts";
import { MOST_KEYS, orderOf } from "./tarsum-order.ts";
import { each, runsOf, type Steps } from "./tarsum-steps.ts";

/** Bytes of what stands for a path. */
const PATH_KEY = 16;
/** Sums made text at once. */
const BATCH = 256;

/**
 * The sums of an archive's entries: 48 bytes an entry of a sha256, 80 of a sha512, and 28 more while they are put in
 * order, however long the paths are.
 *
 * They are in ascending order of their hex, but those of one path are in the archive's. Docker gave both rules to a sort
 * as one comparison, which is an order only while no sum of another path belongs between two that the archive has the
 * other way round. Where one does, the outcome was its sort's own business, and is refused here.
 */
export class EntrySums {
  readonly #most: number;
  readonly #sums: TarsumKeys;
  readonly #paths = new TarsumKeys(PATH_KEY);

  /**
   * @param width bytes of a sum
   * @param most entries
   */
  constructor(width: number, most: number) {
    this.#most = Math.min(most, MOST_KEYS);
    this.#sums = new TarsumKeys(width);
  }

  /** @throws {DigestInvalid} when there are too many */
  add(name: string, sum: Buffer): void {
    if (this.#sums.count === this.#most) {
      throw brokenTar(`it has more than ${this.#most} entries, too many to verify`);
    }
    this.#sums.add(sum);
    this.#paths.add(hash("sha256", pathOf(name), "buffer"));
  }

  /**
   * The hex of all, in order.
   *
   * @throws {DigestInvalid} when the order is ambiguous
   */
  *addTo(total: Hash): Steps {
    const order = yield* this.#order();
    const batch = Buffer.alloc(BATCH * this.#sums.width);
    for (let start = 0; start < order.length; start += BATCH) {
      const some = order.subarray(start, start + BATCH);
      for (const [at, i] of some.entries()) this.#sums.copy(i, batch, at);
      total.update(batch.toString("hex", 0, some.length * this.#sums.width));
      yield;
    }
  }

  *#order(): Steps<Uint32Array> {
    const order = yield* orderOf(this.#sums);
    const ranks = new Uint32Array(order.length);
    yield* each(order.length, (rank) => {
      ranks[order[rank] ?? 0] = rank;
    });
    const byPath = yield* orderOf(this.#paths);
    const isPathBefore = (at: number): boolean => this.#paths.areEqual(byPath[at - 1] ?? 0, byPath[at] ?? 0);
    for (const { start, end } of yield* runsOf(byPath.length, isPathBefore)) {
      yield* restoreArchiveOrder(byPath.subarray(start, end), ranks, order);
    }
    return order;
  }
}

/** What counts as one path: `./a/` is `a`. */
function pathOf(name: string): string {
  return name.replace(/^\.\//, "").replace(/\/$/, "");
}

/**
 * Goes through the entries of one path in stretches, each the shortest after which only greater sums follow. Within a
 * stretch the archive's order differs from that of the sums, and no other path's sum may lie there.
 */
function* restoreArchiveOrder(entries: Uint32Array, ranks: Uint32Array, order: Uint32Array): Steps {
  const rankAt = (at: number): number => ranks[entries[at] ?? 0] ?? 0;
  const leastFrom = yield* suffixMinima(entries.length, rankAt);
  let start = 0;
  let greatest = -1;
  yield* each(entries.length, (at) => {
    greatest = Math.max(greatest, rankAt(at));
    if (greatest > (leastFrom[at + 1] ?? Number.POSITIVE_INFINITY)) return;
    const least = leastFrom[start] ?? 0;
    if (greatest - least !== at - start) {
      throw brokenTar("a path occurs more than once and the order of its sums is ambiguous");
    }
    order.set(entries.subarray(start, at + 1), least);
    start = at + 1;
  });
}

function* suffixMinima(length: number, rankAt: (at: number) => number): Steps<Uint32Array> {
  const minima = new Uint32Array(length);
  let least = Number.POSITIVE_INFINITY;
  yield* each(length, (passed) => {
    const at = length - 1 - passed;
    least = Math.min(least, rankAt(at));
    minima[at] = least;
  });
  return minima;
}
