import { builtInKinds } from "../../src/oci/built-in-kinds.ts";
import { type Digest, digestOf } from "../../src/oci/digest.ts";
import { parseJsonObject } from "../../src/oci/json-object.ts";
import type { Manifest } from "../../src/oci/manifest.ts";
import { ManifestKinds } from "../../src/oci/manifest-kinds.ts";
import { MediaType } from "../../src/oci/media-types.ts";
import { checkDocument, type Schema1Document } from "../../src/oci/schema1/document.ts";
import { type JwsSignature, parseStoredSignature } from "../../src/oci/schema1/jws-signature.ts";

export interface SignedManifest extends Omit<Manifest, "signatures"> {
  readonly digest: Digest;
  readonly document: Schema1Document;
  readonly signatures: readonly [JwsSignature, ...JwsSignature[]];
}

const KINDS = new ManifestKinds(builtInKinds({ enabled: true }));

/** As a registry takes it that takes schema 1: parsed and verified. */
export async function parseSignedManifest(bytes: Uint8Array): Promise<SignedManifest> {
  const { signatures = [], ...manifest } = KINDS.parse(bytes, MediaType.dockerSchema1Signed);
  await KINDS.signingOf(manifest.mediaType)?.verify({ payload: manifest.bytes, signatures });
  const [first, ...rest] = signatures.map(parseStoredSignature);
  if (!first) throw new Error("a manifest was taken without a signature");
  const document = parseDocument(manifest.bytes);
  return { ...manifest, digest: digestOf(manifest.bytes), document, signatures: [first, ...rest] };
}

export function parseDocument(payload: Uint8Array): Schema1Document {
  return checkDocument(parseJsonObject(payload, "pushed"));
}
