import { ManifestInvalid } from "./errors.ts";
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
import type { Manifest } from "./manifest.ts";
import { checkMediaType, checkSchemaVersion, type ManifestKind, type ManifestSigning } from "./manifest-kind.ts";
import { MediaType } from "./media-types.ts";

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

/** The manifests that a registry takes and reads. */
export class ManifestKinds {
  readonly #kinds: ReadonlyMap<string, ManifestKind>;

  /** @throws {TypeError} where two of them claim the same media type */
  constructor(kinds: Iterable<ManifestKind>) {
    const rows = [...kinds].flatMap((kind) => kind.mediaTypes.map((type) => [type, kind] as const));
    this.#kinds = new Map(rows);
    const twice = rows.find(([type, kind]) => this.#kinds.get(type) !== kind);
    if (twice) throw new TypeError(`two kinds of manifest have the media type ${twice[0]}`);
  }

  /**
   * A manifest that is pushed. Its kind is that of the Content-Type; where that is missing or says JSON only, the kind that
   * the document states of itself, and where that says nothing, the kind its keys show.
   * @param contentType header of the request, with or without parameters
   * @throws {ManifestInvalid} saying what is wrong and what is accepted
   * @see manifests, section 3, "Parse rules at PUT"
   */
  parse(bytes: Uint8Array, contentType: string | undefined): Manifest {
    const declared = toDeclaredType(contentType);
    if (declared !== undefined) this.#kindOf(declared);
    const document = readDocument(bytes, refuse);
    const mediaType = declared ?? statedType(document) ?? shownType(document);
    const kind = this.#kindOf(mediaType);
    if (kind.signing) return parseSigned(bytes, kind, kind.signing);
    const contents = kind.parse(document, mediaType, refuse);
    if (!TOLD_BY_KEYS.has(mediaType)) checkStated(document, mediaType);
    return { mediaType, bytes, ...contents };
  }

  /**
   * A manifest that is stored. Whatever a peer has let in can be read: descriptors whose digest no storage can hold are left
   * out, other faulty fields count as absent.
   * @throws {ManifestInvalid} where the bytes are no JSON object or of a schema version that nobody has written
   * @see manifests, section 2, "Storage and type detection"
   */
  read(bytes: Uint8Array): Manifest {
    const document = readDocument(bytes, overlook);
    const mediaType = this.#storedType(document);
    return { mediaType, bytes, ...this.#kindOf(mediaType).parse(document, mediaType, overlook) };
  }

  /**
   * The type under which a stored manifest is served; what it points at is not looked at.
   * @throws {ManifestInvalid} as {@link read}
   */
  mediaTypeOf(bytes: Uint8Array): string {
    return this.#storedType(readDocument(bytes, overlook));
  }

  /** Of a kind whose documents are signed. */
  signingOf(mediaType: string): ManifestSigning | undefined {
    return this.#kinds.get(mediaType)?.signing;
  }

  #kindOf(mediaType: string): ManifestKind {
    const kind = this.#kinds.get(mediaType);
    if (kind) return kind;
    const accepted = [...this.#kinds.keys()].filter((type) => !this.signingOf(type)).join(", ");
    throw new ManifestInvalid(`unsupported manifest media type ${clip(mediaType)}: expected one of ${accepted}`);
  }

  /** An unknown type is served as the OCI document that its keys show. */
  #storedType(document: JsonObject): string {
    const { schemaVersion, mediaType, manifests } = document;
    if (schemaVersion === 1) return MediaType.dockerSchema1Signed;
    if (schemaVersion !== 2) throw new ManifestInvalid("unrecognized manifest schema version: expected 1 or 2");
    if (typeof mediaType === "string" && this.#kinds.has(mediaType) && !this.signingOf(mediaType)) return mediaType;
    return isPresent(manifests) ? MediaType.ociIndex : MediaType.ociManifest;
  }
}

/** Those whose type a stored document shows without stating it. */
const TOLD_BY_KEYS: ReadonlySet<string> = new Set([MediaType.ociManifest, MediaType.ociIndex]);

/** What a document says of itself is all that is known of its kind once it is stored. */
function checkStated(document: JsonObject, mediaType: string): void {
  checkMediaType(document, mediaType, { noun: "manifest", optional: false }, refuse);
  checkSchemaVersion(document, refuse);
}

/** Of the pushed bytes only the payload counts. */
function parseSigned(bytes: Uint8Array, kind: ManifestKind, signing: ManifestSigning): Manifest {
  const [mediaType] = kind.mediaTypes;
  const { payload, signatures } = signing.open(bytes);
  return { mediaType, bytes: payload, signatures, ...kind.parse(readDocument(payload, refuse), mediaType, refuse) };
}

function readDocument(bytes: Uint8Array, onFault: FaultHandler): JsonObject {
  return withKnownKeys(parseJsonObject(bytes, onFault), DOCUMENT_KEYS, "the manifest", onFault);
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
