import type { TarsumKeys } from "./tarsum-keys.ts";
import { each, type Run, runsOf, type Steps, sorted } from "./tarsum-steps.ts";

/** Keys that can be put in order: so many that four bytes of a key and its number fit a float exactly. */
export const MOST_KEYS: number = 2 ** 20;

/**
 * The numbers of the keys in ascending order of the keys' bytes, equal keys by number. A word at a time, each with the
 * sort of floats that needs no comparison of ours: a million hostile keys cost no more than the words of a key.
 *
 * @param keys at most {@link MOST_KEYS}
 */
export function* orderOf(keys: TarsumKeys): Steps<Uint32Array> {
  const order = new Uint32Array(keys.count);
  yield* each(order.length, (i) => {
    order[i] = i;
  });
  const pending = [{ start: 0, end: order.length, word: 0 }];
  for (let run = pending.pop(); run !== undefined; run = pending.pop()) {
    const { start, end, word } = run;
    for (const equal of yield* sortByWord(order.subarray(start, end), keys, word)) {
      const [from, to] = [start + equal.start, start + equal.end];
      if (yield* areOneKey(order.subarray(from, to), keys)) continue;
      pending.push({ start: from, end: to, word: word + 1 });
    }
  }
  return order;
}

/** Sorts in place; answers the runs whose word is equal. */
function* sortByWord(order: Uint32Array, keys: TarsumKeys, word: number): Steps<readonly Run[]> {
  const packed = new Float64Array(order.length);
  yield* each(order.length, (at) => {
    const i = order[at] ?? 0;
    packed[at] = keys.word(i, word) * MOST_KEYS + i;
  });
  const inOrder = yield* sorted(packed);
  yield* each(order.length, (at) => {
    order[at] = (inOrder[at] ?? 0) % MOST_KEYS;
  });
  const wordAt = (at: number): number => Math.floor((inOrder[at] ?? 0) / MOST_KEYS);
  return yield* runsOf(order.length, (at) => wordAt(at) === wordAt(at - 1));
}

/** Whether all of these keys are one, as those of a path or an entry that comes again. */
function* areOneKey(order: Uint32Array, keys: TarsumKeys): Steps<boolean> {
  let areOne = true;
  yield* each(order.length, (at) => {
    areOne &&= keys.areEqual(order[0] ?? 0, order[at] ?? 0);
  });
  return areOne;
}
