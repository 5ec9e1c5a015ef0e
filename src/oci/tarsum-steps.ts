/**
 * Work cut into steps, so that a tar that somebody sent never holds up everybody else: whoever has it done may let others
 * go on between two steps. Nothing is done before the first step is asked for.
 */
export type Steps<T = void> = Generator<void, T, void>;

/** Elements of a loop that are a small step: some 0.1 ms where each is looked up anywhere in memory. */
const SMALL = 1024;
/** Small steps that are one: some 0.5 to 10 ms. */
const MANY = 32;

/** The same work in fewer steps. */
export function* paced<T>(small: Steps<T>): Steps<T> {
  for (let count = 1; ; count++) {
    const { done, value } = small.next();
    if (done) return value;
    if (count % MANY === 0) yield;
  }
}

/** Does this for every number below `count`, in small steps. */
export function* each(count: number, work: (at: number) => void): Steps {
  for (let start = 0; start < count; start += SMALL) {
    const end = Math.min(count, start + SMALL);
    for (let at = start; at < end; at++) work(at);
    yield;
  }
}

/** Some of a sequence, from the first to before the end. */
export interface Run {
  readonly start: number;
  readonly end: number;
}

/** The runs, of two and more, whose elements are each like the one before it. */
export function* runsOf(count: number, isLikeBefore: (at: number) => boolean): Steps<readonly Run[]> {
  const runs: Run[] = [];
  let start = 0;
  yield* each(count, (at) => {
    if (at > 0 && isLikeBefore(at)) return;
    if (at - start > 1) runs.push({ start, end: at });
    start = at;
  });
  if (count - start > 1) runs.push({ start, end: count });
  return runs;
}

/** In ascending order; the array itself may be in any afterwards. Merges sorted pieces, as one sort cannot be cut. */
export function* sorted(values: Float64Array<ArrayBuffer>): Steps<Float64Array> {
  for (let start = 0; start < values.length; start += SMALL) {
    values.subarray(start, start + SMALL).sort();
    yield;
  }
  let [source, target] = [values, new Float64Array(values.length)];
  for (let size = SMALL; size < values.length; size *= 2) {
    for (let start = 0; start < values.length; start += 2 * size) {
      yield* merge(source.subarray(start, start + 2 * size), size, target.subarray(start));
    }
    [source, target] = [target, source];
  }
  return source;
}

/** Two sorted parts, the first of `size` or all there is, into one. */
function* merge(parts: Float64Array, size: number, target: Float64Array): Steps {
  let [left, right] = [0, size];
  yield* each(parts.length, (at) => {
    const isLeft = right >= parts.length || (left < size && (parts[left] ?? 0) <= (parts[right] ?? 0));
    target[at] = parts[isLeft ? left++ : right++] ?? 0;
  });
}
