import type { Descriptor } from "../descriptor.ts";
import { type Digest, digestOf, isDigest } from "../digest.ts";
import type { ManifestContents } from "../manifest-kind.ts";
import { MediaType } from "../media-types.ts";
import type { BlobSum } from "./blob-sum.ts";
import { parseDocument, type Schema1Document } from "./document.ts";
import { verifySignatures } from "./jws.ts";
import type { JwsSignature } from "./jws-signature.ts";
import { parseSignedDocument } from "./signed-document.ts";

/** A signed manifest that is verified, as other manifests are told: `bytes` is the payload, which alone is stored. */
export interface Schema1Manifest extends ManifestContents {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  /** Over the payload. */
  readonly digest: Digest;
  /** Layers named by a digest, newest first; those named by a tarsum are in `document` alone. Sizes read 0. */
  readonly layers: readonly Descriptor[];
  readonly document: Schema1Document;
  readonly signatures: readonly [JwsSignature, ...JwsSignature[]];
}

/**
 * A manifest that is pushed. Whether its name and tag must be those of the URL is for the caller to say.
 * @param bytes with signatures
 * @throws {ManifestInvalid}
 * @throws {ManifestUnverified}
 * @throws {NameInvalid}
 * @throws {TagInvalid}
 * @see manifests, sections 5.2 and 5.3; `checkAgainstUrl`
 */
export async function parseSignedManifest(bytes: Uint8Array): Promise<Schema1Manifest> {
  const { payload, signatures } = parseSignedDocument(bytes);
  const document = parseDocument(payload);
  await verifySignatures(payload, signatures);
  return {
    mediaType: MediaType.dockerSchema1Signed,
    bytes: payload,
    digest: digestOf(payload),
    layers: document.blobSums.filter(isPlainDigest).map(toDescriptor),
    manifests: [],
    document,
    signatures,
  };
}

function isPlainDigest(blobSum: BlobSum): blobSum is Digest {
  return isDigest(blobSum);
}

/** The document states no size. */
function toDescriptor(digest: Digest): Descriptor {
  return { mediaType: MediaType.dockerSchema1Layer, digest, size: 0 };
}
