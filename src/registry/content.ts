import { algorithmOf, type Digest, digestOf } from "../oci/digest.ts";
import { absentIfNotFound } from "./links.ts";
import type { Store } from "./store.ts";

/**
 * The bytes of a small blob, checked.
 * @param limit bytes; longer ones count as damaged, and are not read further
 * @returns undefined where there are none
 */
export async function readContent(
  { driver, paths }: Store,
  digest: Digest,
  limit: number,
): Promise<Uint8Array | "damaged" | undefined> {
  const opened = await absentIfNotFound(driver.reader(paths.blob(digest)));
  if (opened === undefined) return undefined;
  await using reader = opened;
  const bytes = new Uint8Array(Math.min(reader.size, limit + 1));
  let length = 0;
  while (length < bytes.length) {
    const count = await reader.read(bytes.subarray(length));
    if (count === 0) break;
    length += count;
  }
  const content = bytes.subarray(0, length);
  return length <= limit && digestOf(content, algorithmOf(digest)) === digest ? content : "damaged";
}
