/** The digest by which an upload ends. @see http-api, section 8; manifests, section 9 */
import { type BlobDigest, isBlobDigest, isTarsumDigest, parseBlobDigest } from "../oci/blob-digest.ts";
import { DigestInvalid } from "../oci/errors.ts";
import { isTarsum, requireMethod } from "../oci/tarsum.ts";

/**
 * Of a query where it must be.
 * @throws {DigestInvalid} also for what nobody can verify, before its bytes come
 */
export function parseFinalDigest(text: string | null): BlobDigest {
  if (text === null || text === "") throw new DigestInvalid("digest missing");
  checkPlus(text);
  if (!isBlobDigest(text)) throw new DigestInvalid("digest parsing failed");
  return verifiable(text);
}

/**
 * Of a query that has one.
 * @throws {DigestInvalid} saying what is wrong with it
 */
export function parseAnnouncedDigest(text: string): BlobDigest {
  checkPlus(text);
  return verifiable(parseBlobDigest(text));
}

/** A bare `+` of a query is a space: nothing else in a tarsum could be one. */
function checkPlus(text: string): void {
  if (!text.includes(" ") || !isTarsum(text.replace(" ", "+"))) return;
  throw new DigestInvalid("digest parsing failed: a '+' in a query means a space, so that of a tarsum is written %2B");
}

function verifiable(digest: BlobDigest): BlobDigest {
  if (isTarsumDigest(digest)) requireMethod(digest);
  return digest;
}
