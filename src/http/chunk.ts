/**
 * The `Content-Range` of a chunk: `first-last`, inclusive, without a unit. `bytes 5-9/10` is understood too.
 *
 * @see http-api, section 8, "Range semantics"
 */
import type { IncomingHttpHeaders } from "node:http";
import { RangeInvalid, SizeInvalid } from "../oci/errors.ts";

/**
 * @param size bytes of the upload before the chunk
 * @returns a check of the chunk's bytes, which hands them on and throws `SizeInvalid` where they go past the announced range,
 *   or end before it does
 * @throws {RangeInvalid} for a chunk that does not start there
 * @throws {SizeInvalid} for a range that cannot be read, or of another length than `Content-Length`
 */
export function checkChunk(
  headers: IncomingHttpHeaders,
  size: number,
): (chunks: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array> {
  const header = headers["content-range"];
  if (header === undefined) return (chunks) => chunks;
  const [, first, last] = /^\s*(?:bytes[ =])?\s*(\d+)-(\d+)(?:\/(?:\d+|\*))?\s*$/.exec(header) ?? [];
  if (first === undefined || last === undefined) throw new SizeInvalid("Content-Range: expected <first>-<last>");
  const end = Number(last) + 1;
  if (Number(first) !== size || end <= size) {
    throw new RangeInvalid(`the chunk is ${first}-${last} and the upload has ${size} bytes`);
  }
  const length = headers["content-length"];
  if (length !== undefined && Number(length) !== end - size) {
    throw new SizeInvalid(`Content-Range ${first}-${last} is ${end - size} bytes and Content-Length ${length}`);
  }
  return (chunks) => ofLength(chunks, end - size);
}

async function* ofLength(chunks: AsyncIterable<Uint8Array>, length: number): AsyncGenerator<Uint8Array, void, void> {
  let left = length;
  for await (const chunk of chunks) {
    if (chunk.length > left) throw new SizeInvalid(`the chunk is longer than the ${length} bytes of its Content-Range`);
    left -= chunk.length;
    yield chunk;
  }
  if (left > 0) throw new SizeInvalid(`the Content-Range is ${length} bytes, ${length - left} came`);
}
