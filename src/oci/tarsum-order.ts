/** Keys that can be put in order: so many that four bytes of a key and its number fit a float exactly. */
export const MOST_KEYS: number = 2 ** 20;

const WORD = 4;

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
    const equal = sortByWord(order.subarray(start, end), keys, width, word);
    if ((word + 1) * WORD === width) continue;
    for (const [from, to] of equal) pending.push({ start: start + from, end: start + to, word: word + 1 });
  }
  return order;
}

/** Sorts in place; answers the runs, of two and more, whose word is equal. */
function sortByWord(order: Uint32Array, keys: Buffer, width: number, word: number): (readonly [number, number])[] {
  const packed = Float64Array.from(order, (i) => keys.readUInt32BE(i * width + word * WORD) * MOST_KEYS + i).sort();
  const equal: (readonly [number, number])[] = [];
  let start = 0;
  for (const [at, value] of packed.entries()) {
    order[at] = value % MOST_KEYS;
    if (Math.floor(value / MOST_KEYS) === Math.floor((packed[start] ?? 0) / MOST_KEYS)) continue;
    if (at - start > 1) equal.push([start, at]);
    start = at;
  }
  if (packed.length - start > 1) equal.push([start, packed.length]);
  return equal;
}
