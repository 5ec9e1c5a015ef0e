import type { BlobDigest } from "../blob-digest.ts";
import type { BlobDescriptor } from "../descriptor.ts";
import { ManifestInvalid, ManifestUnverified } from "../errors.ts";
import { isJsonObject, type JsonObject, optionalArray, overlook } from "../json-fields.ts";
import type { ManifestContents, ManifestKind, ManifestSigning, SignedContent } from "../manifest-kind.ts";
import { MediaType } from "../media-types.ts";
import { parseBlobSum } from "./blob-sum.ts";
import { checkDocument, type Schema1Document } from "./document.ts";
import { type JwsSignature, parseStoredSignature, toStoredSignature } from "./jws-signature.ts";
import { checkFit, checkNumber, mostSignatures, parseSignedDocument, printSignedDocument } from "./signed-document.ts";
import type { SigningKey } from "./signing-key.ts";

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
export function schema1Kind({ enabled, key }: Schema1Options): ManifestKind {
  return {
    mediaTypes: [MediaType.dockerSchema1Signed, MediaType.dockerSchema1],
    parse: (document, _mediaType, _onFault, origin) =>
      origin === "pushed" ? toContents(checkDocument(document)) : { layers: readLayers(document), manifests: [] },
    recognises: ({ schemaVersion }) => schemaVersion === 1,
    ...(enabled ? {} : { refusal: NOT_ENABLED }),
    signing: schema1Signing(key),
  };
}

function schema1Signing(given: SigningKey | undefined): ManifestSigning {
  let key = given;
  return {
    open: (document, fields) => {
      const { payload, signatures } = parseSignedDocument(document, fields);
      return { payload, signatures: signatures.map(toOpened) };
    },
    verify,
    print: async ({ payload, signatures }) => {
      const [first, ...rest] = fitting(payload, signatures);
      if (first) return printSignedDocument(payload, [first, ...rest]);
      const [{ signPayload }, { makeSigningKey }] = await Promise.all([import("./jws.ts"), import("./signing-key.ts")]);
      key ??= makeSigningKey();
      return printSignedDocument(payload, [await signPayload(payload, key, new Date())]);
    },
  };
}

const NOT_ENABLED =
  "schema 1 manifests are not enabled: push this image as schema 2 or OCI, which Docker does since version 1.10, or set compatibility.schema1.enabled of this registry";

/** By its stored bytes: parsing it again would read its key again. */
const opened = new WeakMap<Uint8Array, JwsSignature>();

function toOpened(signature: JwsSignature): Uint8Array {
  const bytes = toStoredSignature(signature);
  opened.set(bytes, signature);
  return bytes;
}

/** Bytes can be written to since they were opened. */
function fromOpened(bytes: Uint8Array): JwsSignature {
  const signature = opened.get(bytes);
  return signature && Buffer.compare(toStoredSignature(signature), bytes) === 0
    ? signature
    : parseStoredSignature(bytes);
}

async function verify({ payload, signatures }: SignedContent): Promise<readonly Uint8Array[]> {
  checkNumber(signatures, mostSignatures(payload));
  const [first, ...rest] = signatures.map(fromOpened);
  if (first === undefined) throw new ManifestUnverified("a schema 1 manifest must be signed");
  checkFit(payload, [first, ...rest]);
  const { verifySignatures } = await import("./jws.ts");
  await verifySignatures(payload, [first, ...rest]);
  return [first, ...rest].map(toStoredSignature);
}

/** Those of this payload that cut it as the first does, as many as may be pushed; whoever stored them had verified them. */
function fitting(payload: Uint8Array, stored: readonly Uint8Array[]): JwsSignature[] {
  const found: JwsSignature[] = [];
  const most = mostSignatures(payload);
  for (const bytes of stored) {
    if (found.length === most) break;
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
