import { mapConcurrent } from "../lib/concurrency.ts";
import { type Digest, isDigest, toDigest } from "../oci/digest.ts";
import { ALGORITHMS, type RegistryContext } from "./context.ts";
import { absentIfNotFound } from "./links.ts";

/** The digests that the names of `<folder>/<hex>` spell, for every algorithm's folder; in no order. */
export async function listDigests(
  { driver }: RegistryContext,
  folder: (algorithm: (typeof ALGORITHMS)[number]) => string,
): Promise<Digest[]> {
  const found = await mapConcurrent(ALGORITHMS, ALGORITHMS.length, async (algorithm) => {
    const names = (await absentIfNotFound(driver.list(folder(algorithm)))) ?? [];
    return names.map((hex) => toDigest(algorithm, hex)).filter(isDigest);
  });
  return found.flat();
}
