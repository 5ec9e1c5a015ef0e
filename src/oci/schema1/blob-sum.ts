import { type BlobDigest, isBlobDigest } from "../blob-digest.ts";
import { ManifestInvalid } from "../errors.ts";
import { nameOf } from "../json-fields.ts";

/**
 * What a schema 1 manifest calls a layer.
 * @param path where it stands in its document, for the sentence of a fault
 * @throws {ManifestInvalid}
 */
export function parseBlobSum(value: unknown, path: string): BlobDigest {
  if (typeof value === "string" && isBlobDigest(value)) return value;
  const given = typeof value === "string" ? "another text" : nameOf(value);
  throw new ManifestInvalid(`${path} must be a digest or a tarsum, not ${given}`);
}
