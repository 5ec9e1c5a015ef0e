import { type Digest, isDigest } from "../digest.ts";
import { ManifestInvalid } from "../errors.ts";
import { nameOf } from "../json-fields.ts";
import { isTarsum, type Tarsum } from "../tarsum.ts";

/** What a schema 1 manifest calls a layer: a digest, or the tarsum that Docker 1.3 to 1.5 used. */
export type BlobSum = Digest | Tarsum;

/**
 * @param path where it stands in its document, for the sentence of a fault
 * @throws {ManifestInvalid}
 */
export function parseBlobSum(value: unknown, path: string): BlobSum {
  if (typeof value === "string" && (isDigest(value) || isTarsum(value))) return value;
  const given = typeof value === "string" ? "another text" : nameOf(value);
  throw new ManifestInvalid(`${path} must be a digest or a tarsum, not ${given}`);
}
