/** Keys that can be put in order: so many that four bytes of a key and its number fit a float exactly. */
export const MOST_KEYS: number = 2 ** 20;

const WORD = 4;

/** From the first to before the end. */
interface Run {
  readonly start: number;
  readonly end: number;
}

/**
 * The numbers of the keys in ascending order of the keys' bytes, equal keys by number. A word at a time, each with the
 * sort of floats that needs no comparison of ours: a million hostile keys cost no more than the words of a key.
 *
 * @param width bytes of a key, a multiple of 4
 * @param count at most {@link MOST_KEYS}
 */
export function orderOf(keys: Buffer, width: number, count: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  const pending = [{ start: 0, end: count, word: 0 }];
  for (let run = pending.pop(); run !== undefined; run = pending.pop()) {
    const { start, end, word } = run;
    for (const equal of sortByWord(order.subarray(start, end), keys, width, word)) {
      const [from, to] = [start + equal.start, start + equal.end];
      if (areOneKey(order.subarray(from, to), keys, width)) continue;
      pending.push({ start: from, end: to, word: word + 1 });
    }
  }
  return order;
}

/** Sorts in place; answers the runs, of two and more, whose word is equal. Plain loops, for a million keys. */
function sortByWord(order: Uint32Array, keys: Buffer, width: number, word: number): Run[] {
  const packed = new Float64Array(order.length);
  for (let at = 0; at < order.length; at++) {
    const i = order[at] ?? 0;
    packed[at] = keys.readUInt32BE(i * width + word * WORD) * MOST_KEYS + i;
  }
  packed.sort();
  const equal: Run[] = [];
  let start = 0;
  let value = -1;
  for (let at = 0; at < order.length; at++) {
    const whole = packed[at] ?? 0;
    order[at] = whole % MOST_KEYS;
    const next = Math.floor(whole / MOST_KEYS);
    if (next === value) continue;
    if (at - start > 1) equal.push({ start, end: at });
    start = at;
    value = next;
  }
  if (order.length - start > 1) equal.push({ start, end: order.length });
  return equal;
}

/** Whether all of these keys are one, as those of a path or an entry that comes again. */
function areOneKey(order: Uint32Array, keys: Buffer, width: number): boolean {
  const keyAt = (at: number): number => (order[at] ?? 0) * width;
  const first = keyAt(0);
  for (let at = 1; at < order.length; at++) {
    if (keys.compare(keys, first, first + width, keyAt(at), keyAt(at) + width) !== 0) return false;
  }
  return true;
}
