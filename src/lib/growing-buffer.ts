/** Few steps: each copies what is there, and takes pages that the system has to empty. */
const GROWTH = 8;

/**
 * Memory as bytes come, so that a request of some KiB does not cost what a large one may.
 * @param used bytes at the start of `buffer` that are kept
 * @param needed bytes, no more than `most`
 * @param most bytes that will ever be needed
 * @returns `buffer` where it has room, or a larger one
 */
export function withRoom(buffer: Buffer | undefined, used: number, needed: number, most: number): Buffer {
  const size = buffer?.length ?? 0;
  if (buffer && size >= needed) return buffer;
  const larger = Buffer.allocUnsafeSlow(Math.min(Math.max(needed, GROWTH * size), most));
  buffer?.copy(larger, 0, 0, used);
  return larger;
}
