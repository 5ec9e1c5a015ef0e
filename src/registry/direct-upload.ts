/**
 * Blobs whose digest is known before their first byte. Where the storage shows an object whole or not at all, their bytes go
 * to the blob's own place at once, and no session holds them.
 */
import { randomUUID } from "node:crypto";
import { type BlobDigest, isTarsumDigest } from "../oci/blob-digest.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { algorithmOf, type Digest, encodedOf } from "../oci/digest.ts";
import { DigestInvalid } from "../oci/errors.ts";
import { MediaType } from "../oci/media-types.ts";
import type { RepositoryName } from "../oci/names.ts";
import { type AtomicWriter, canWriteAtomically } from "../storage/driver.ts";
import type { RegistryContext } from "./context.ts";
import { startHash } from "./running-hash.ts";
import type { UploadId } from "./upload-id.ts";

/** Makes a blob of the repository of all the bytes that come. When it throws, nothing stays of them. */
export type ReceiveDirectly = (chunks: AsyncIterable<Uint8Array>) => Promise<Descriptor>;

/**
 * @param id the session in whose folder bytes may lie meanwhile, where the purge finds them; it need not have begun
 * @returns undefined where the storage does not allow it, or the digest does not tell where the bytes are to lie
 */
export function directUpload(
  context: RegistryContext,
  repository: RepositoryName,
  id: UploadId,
  digest: BlobDigest,
): ReceiveDirectly | undefined {
  const { driver, paths, blobs } = context;
  if (!canWriteAtomically(driver) || isTarsumDigest(digest)) return undefined;
  return async (chunks) => {
    const aside = paths.uploadTaken(repository, id, randomUUID());
    await using writer = await driver.atomicWriter(paths.blob(digest), aside);
    const size = await receive(chunks, writer, digest);
    await writer.commit();
    await blobs.write(repository, digest, { target: digest, size });
    return { mediaType: MediaType.octetStream, digest, size };
  };
}

/**
 * @returns how many bytes came
 * @throws {DigestInvalid} where they have another digest
 */
async function receive(chunks: AsyncIterable<Uint8Array>, writer: AtomicWriter, digest: Digest): Promise<number> {
  const hash = startHash(algorithmOf(digest));
  for await (const chunk of chunks) {
    await writer.write(chunk);
    hash.update(chunk);
  }
  const hex = hash.hex();
  if (hex !== encodedOf(digest)) throw mismatch(digest, hex);
  return writer.size;
}

/** @param hex of the bytes that came */
export function mismatch(digest: Digest, hex: string): DigestInvalid {
  return new DigestInvalid(`the uploaded bytes have ${algorithmOf(digest)}:${hex}, not ${digest}`);
}
