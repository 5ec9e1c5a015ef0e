import { ManifestInvalid } from "./errors.ts";
import { imageIndex } from "./image-index.ts";
import { imageManifest } from "./image-manifest.ts";
import {
  clip,
  type FaultHandler,
  isPresent,
  type JsonObject,
  knownKeys,
  optionalString,
  overlook,
  parseJsonObject,
  refuse,
  withKnownKeys,
} from "./json-fields.ts";
import type { ManifestContents, ManifestKind } from "./manifest-kind.ts";
import { MediaType } from "./media-types.ts";
import { schema1Manifest } from "./schema1-manifest.ts";

/** Bytes. What a registry takes as a manifest and what it reads back. @see http-api, section 1 */
export const MANIFEST_LIMIT: number = 4 * 1024 * 1024;

/** A manifest of any kind, checked. The bytes are the document; the rest is what they say. */
export interface Manifest extends ManifestContents {
  readonly mediaType: string;
  /** As received; never printed anew. */
  readonly bytes: Uint8Array;
}

/** Kinds that clients may push. A new kind is one file and one row. */
const PUSHED: readonly ManifestKind[] = [imageManifest, imageIndex];

/** With those that are only found in old storage. */
const KINDS: ReadonlyMap<string, ManifestKind> = new Map(
  [...PUSHED, schema1Manifest].flatMap((kind) => kind.mediaTypes.map((type) => [type, kind] as const)),
);

const DOCUMENT_KEYS = knownKeys(
  "schemaVersion",
  "mediaType",
  "config",
  "layers",
  "manifests",
  "subject",
  "artifactType",
  "annotations",
  "fsLayers",
);

/**
 * A manifest that is pushed. Its kind is that of the Content-Type; where that is missing or says JSON only, the kind that
 * the document states of itself, and where that says nothing, the kind its keys show.
 * @param contentType header of the request, with or without parameters
 * @throws {ManifestInvalid} saying what is wrong and what is accepted
 * @see manifests, section 3, "Parse rules at PUT"
 */
export function parseManifest(bytes: Uint8Array, contentType: string | undefined): Manifest {
  const declared = toDeclaredType(contentType);
  if (declared !== undefined) kindOf(declared);
  const document = readDocument(bytes, refuse);
  return toManifest(bytes, document, declared ?? statedType(document) ?? shownType(document), refuse);
}

/**
 * A manifest that is stored. Whatever a peer has let in can be read: descriptors whose digest no storage can hold are left
 * out, other faulty fields count as absent.
 * @throws {ManifestInvalid} where the bytes are no JSON object or of a schema version that nobody has written
 * @see manifests, section 2, "Storage and type detection"
 */
export function readManifest(bytes: Uint8Array): Manifest {
  const document = readDocument(bytes, overlook);
  return toManifest(bytes, document, storedType(document), overlook);
}

/**
 * The type under which a stored manifest is served; what it points at is not looked at.
 * @throws {ManifestInvalid} as {@link readManifest}
 */
export function readMediaType(bytes: Uint8Array): string {
  return storedType(readDocument(bytes, overlook));
}

function readDocument(bytes: Uint8Array, onFault: FaultHandler): JsonObject {
  return withKnownKeys(parseJsonObject(bytes, onFault), DOCUMENT_KEYS, "the manifest", onFault);
}

function toManifest(bytes: Uint8Array, document: JsonObject, mediaType: string, onFault: FaultHandler): Manifest {
  return { mediaType, bytes, ...kindOf(mediaType).parse(document, mediaType, onFault) };
}

function kindOf(mediaType: string): ManifestKind {
  const kind = KINDS.get(mediaType);
  if (kind) return kind;
  const accepted = PUSHED.flatMap((row) => row.mediaTypes).join(", ");
  throw new ManifestInvalid(`unsupported manifest media type ${clip(mediaType)}: expected one of ${accepted}`);
}

/** Lower case, without parameters; undefined where the client did not say. */
function toDeclaredType(contentType: string | undefined): string | undefined {
  const type = contentType?.split(";", 1)[0]?.trim().toLowerCase();
  return type === "" || type === "application/json" ? undefined : type;
}

function statedType(document: JsonObject): string | undefined {
  return optionalString(document["mediaType"], "mediaType", refuse) || undefined;
}

function shownType(document: JsonObject): string {
  if (isPresent(document["manifests"])) return MediaType.ociIndex;
  if (isPresent(document["config"]) || isPresent(document["layers"])) return MediaType.ociManifest;
  if (isPresent(document["fsLayers"])) return MediaType.dockerSchema1Signed;
  throw new ManifestInvalid(
    "the kind of this manifest cannot be told: expected a Content-Type, a mediaType, or one of the keys manifests, config and layers",
  );
}

/** An unknown type is served as the OCI document that its keys show. */
function storedType(document: JsonObject): string {
  const { schemaVersion, mediaType, manifests } = document;
  if (schemaVersion === 1) return MediaType.dockerSchema1Signed;
  if (schemaVersion !== 2) throw new ManifestInvalid("unrecognized manifest schema version: expected 1 or 2");
  if (typeof mediaType === "string" && PUSHED.some((kind) => kind.mediaTypes.includes(mediaType))) return mediaType;
  return isPresent(manifests) ? MediaType.ociIndex : MediaType.ociManifest;
}
