import { hash } from "node:crypto";
import { algorithmOf, type Digest, isDigest, parseDigest } from "./digest.ts";
import { isTarsum, methodOf, parseTarsum, type Tarsum } from "./tarsum.ts";

/** What a layer can be named by: a digest, or the tarsum that Docker 1.3 to 1.6 used. */
export type BlobDigest = Digest | Tarsum;

/** @throws {DigestInvalid} */
export function parseBlobDigest(text: string): BlobDigest {
  return text.startsWith("tarsum") ? parseTarsum(text) : parseDigest(text);
}

export function isBlobDigest(text: string): text is BlobDigest {
  return text.startsWith("tarsum") ? isTarsum(text) : isDigest(text);
}

/** Whether it is that of no bytes at all, which are an empty tar too: no entry, no sum, the hash of nothing. */
export function isOfNothing(digest: BlobDigest): boolean {
  const algorithm = isTarsumDigest(digest) ? methodOf(digest)?.algorithm : algorithmOf(digest);
  return algorithm !== undefined && digest.endsWith(`:${hash(algorithm, "", "hex")}`);
}

/** Cheaper than {@link isTarsum}, for what was parsed. */
export function isTarsumDigest(digest: BlobDigest): digest is Tarsum {
  return digest.startsWith("tarsum");
}
