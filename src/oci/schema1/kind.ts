import type { BlobDigest } from "../blob-digest.ts";
import type { BlobDescriptor } from "../descriptor.ts";
import { ManifestInvalid, ManifestUnverified } from "../errors.ts";
import { isJsonObject, type JsonObject, optionalArray, overlook, refuse } from "../json-fields.ts";
import type { ManifestContents, ManifestKind, ManifestSigning, SignedContent } from "../manifest-kind.ts";
import { MediaType } from "../media-types.ts";
import { parseBlobSum } from "./blob-sum.ts";
import { checkDocument, type Schema1Document } from "./document.ts";
import { type JwsSignature, parseStoredSignature, toStoredSignature } from "./jws-signature.ts";
import { checkFit, parseSignedDocument, printSignedDocument } from "./signed-document.ts";
import { makeSigningKey, type SigningKey } from "./signing-key.ts";

export interface Schema1Options {
  /** Whether clients may push them. Stored ones are served in any case. */
  readonly enabled: boolean;
  /** What manifests are signed with that have no signatures of their own; by default one that is made when it is needed. */
  readonly key?: SigningKey | undefined;
}

/**
 * Docker's first manifests: `{schemaVersion: 1, name, tag, architecture, fsLayers: [{blobSum}], history, signatures}`.
 * @see manifests, section 5
 */
export function schema1Kind(options: Schema1Options): ManifestKind {
  return {
    mediaTypes: [MediaType.dockerSchema1Signed, MediaType.dockerSchema1],
    parse: (document, _mediaType, onFault) =>
      onFault === refuse ? toContents(checkDocument(document)) : { layers: readLayers(document), manifests: [] },
    signing: schema1Signing(options),
  };
}

function schema1Signing({ enabled, key: given }: Schema1Options): ManifestSigning {
  let key = given;
  return {
    open: (document) => {
      if (!enabled) throw new ManifestInvalid(NOT_ENABLED);
      const { payload, signatures } = parseSignedDocument(document);
      return { payload, signatures: signatures.map(toStoredSignature) };
    },
    verify,
    print: async ({ payload, signatures }) => {
      const [first, ...rest] = fitting(payload, signatures);
      if (first) return printSignedDocument(payload, [first, ...rest]);
      const { signPayload } = await import("./jws.ts");
      key ??= makeSigningKey();
      return printSignedDocument(payload, [await signPayload(payload, key, new Date())]);
    },
  };
}

const NOT_ENABLED =
  "schema 1 manifests are not enabled: push this image as schema 2 or OCI, which Docker does since version 1.10, or set compatibility.schema1.enabled of this registry";

async function verify({ payload, signatures }: SignedContent): Promise<void> {
  const [first, ...rest] = signatures.map(parseStoredSignature);
  if (first === undefined) throw new ManifestUnverified("a schema 1 manifest must be signed");
  checkFit(payload, [first, ...rest]);
  const { verifySignatures } = await import("./jws.ts");
  await verifySignatures(payload, [first, ...rest]);
}

/** Those of this payload that cut it as the first does; whoever stored them had verified them. */
function fitting(payload: Uint8Array, stored: readonly Uint8Array[]): JwsSignature[] {
  const found: JwsSignature[] = [];
  for (const bytes of stored) {
    try {
      const signature = parseStoredSignature(bytes);
      checkFit(payload, [found[0] ?? signature, signature]);
      found.push(signature);
    } catch (error) {
      if (!(error instanceof ManifestInvalid || error instanceof ManifestUnverified)) throw error;
    }
  }
  return found;
}

function toContents({ name, tag, blobSums }: Schema1Document): ManifestContents {
  return { layers: blobSums.map(toDescriptor), manifests: [], place: { repository: name, tag } };
}

/**
 * Of a stored document.
 * @throws {ManifestInvalid} where a layer has no name that is known: what such a manifest refers to cannot be told, so
 *   nothing may be concluded from it
 */
function readLayers(document: JsonObject): BlobDescriptor[] {
  const layers = optionalArray(document["fsLayers"], "fsLayers", overlook) ?? [];
  return layers.map((layer, index) =>
    toDescriptor(parseBlobSum(isJsonObject(layer) ? layer["blobSum"] : undefined, `fsLayers[${index}].blobSum`)),
  );
}

/** The document states no sizes: they read 0. */
function toDescriptor(digest: BlobDigest): BlobDescriptor {
  return { mediaType: MediaType.dockerSchema1Layer, digest, size: 0 };
}
