import { setImmediate } from "node:timers/promises";
import { Budget } from "../lib/budget.ts";
import { type Digest, toDigest } from "../oci/digest.ts";
import { DigestInvalid } from "../oci/errors.ts";
import { requireMethod, type Tarsum } from "../oci/tarsum.ts";
import { TarsumHash } from "../oci/tarsum-hash.ts";
import { startHash } from "./running-hash.ts";

/** Tars read at once by this process: each has the processor to itself and may need 128 MiB for the sums of its entries. */
const readings = new Budget(2);

/**
 * Reads a tar once, and lets others go on between its chunks.
 *
 * @param chunks each valid until the next one, and short: 256 KiB of nothing but headers take some 6 ms
 * @param signal ends it with its reason
 * @returns the canonical digest of the same bytes
 * @throws {DigestInvalid} where they have another tarsum or none, or it is one that nobody can calculate
 */
export async function verifyTarsum(
  tarsum: Tarsum,
  chunks: AsyncIterable<Uint8Array>,
  { signal }: { readonly signal: AbortSignal },
): Promise<Digest> {
  const sum = new TarsumHash(requireMethod(tarsum));
  const canonical = startHash("sha256");
  using _ = await readings.take(1, { signal });
  for await (const chunk of chunks) {
    sum.update(chunk);
    canonical.update(chunk);
    await setImmediate();
    signal.throwIfAborted();
  }
  const actual = sum.digest();
  if (actual !== tarsum) throw new DigestInvalid(`the uploaded bytes have ${actual}, not ${tarsum}`);
  return toDigest("sha256", canonical.hex());
}
