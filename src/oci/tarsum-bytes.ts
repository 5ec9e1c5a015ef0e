import { DigestInvalid } from "./errors.ts";

/**
 * Reads bytes that arrive in pieces of any size. It yields the most bytes that it takes next, at least one, and is
 * resumed with one to that many, or with undefined at the end of the stream. What it got is its own only until it takes
 * more. Between two of its numbers lies little work: some 0.1 ms, or what one extended header needs at the most.
 */
export type Reading<T = void> = Generator<number, T, Buffer | undefined>;

export const BLOCK = 512;

/** Yielded where there is much to do with what is there: nothing is taken, and whatever it is resumed with is not looked at. */
export const WORK = 0;

/** The most bytes taken at once where more are to come. */
const LARGEST_PIECE = 0x1_0000;

/** This many, or fewer at the end of the stream. */
export function* upTo(size: number): Reading<Buffer> {
  const first = yield size;
  if (first === undefined) return Buffer.alloc(0);
  if (first.length === size) return first;
  const bytes = Buffer.alloc(size);
  let length = first.copy(bytes);
  for (let part = yield size - length; part !== undefined; part = yield size - length) {
    length += part.copy(bytes, length);
    if (length === size) return bytes;
  }
  return bytes.subarray(0, length);
}

/** @throws {DigestInvalid} when the stream ends before that many */
export function* exactly(size: number): Reading<Buffer> {
  const bytes = size === 0 ? Buffer.alloc(0) : yield* upTo(size);
  if (bytes.length < size) throw truncated();
  return bytes;
}

/**
 * Gives this many bytes away, as they come, and holds none.
 *
 * @throws {DigestInvalid} when the stream ends before that many
 */
export function* pass(size: number, give: (bytes: Buffer) => void): Reading {
  for (let missing = size; missing > 0; ) {
    const part = yield Math.min(missing, LARGEST_PIECE);
    if (part === undefined) throw truncated();
    give(part);
    missing -= part.length;
  }
}

/** What stands between this many bytes of content and the next block; not looked at, as tar does not say what it is. */
export function* skipPadding(size: number): Reading {
  yield* pass((BLOCK - (size % BLOCK)) % BLOCK, () => {});
}

function truncated(): DigestInvalid {
  return brokenTar("it ends in the middle of an entry");
}

/** @param why half a sentence for the client */
export function brokenTar(why: string): DigestInvalid {
  return new DigestInvalid(`the content is not a tar that has a tarsum: ${why}`);
}
