import { ManifestInvalid } from "./errors.ts";
import {
  clip,
  faultHandlerOf,
  isPresent,
  type JsonObject,
  knownKeys,
  type Origin,
  optionalString,
  refuse,
  withKnownKeys,
} from "./json-fields.ts";
import { parseJsonObject } from "./json-object.ts";
import type { Manifest } from "./manifest.ts";
import {
  checkMediaType,
  checkSchemaVersion,
  type ManifestContents,
  type ManifestKind,
  type ManifestSigning,
} from "./manifest-kind.ts";
import { isMediaType, MediaType } from "./media-types.ts";

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

  /** @throws {TypeError} where two of them claim the same media type, or one claims what is no media type in lower case */
  constructor(kinds: Iterable<ManifestKind>) {
    const rows = [...kinds].flatMap((kind) => kind.mediaTypes.map((type) => [type, kind] as const));
    const wrong = rows.find(([type]) => !isMediaType(type));
    if (wrong) {
      throw new TypeError(
        `a kind of manifest has the media type ${JSON.stringify(wrong[0])}: expected type/subtype in lower case`,
      );
    }
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
    if (declared !== undefined) this.#pushableKindOf(declared);
    const document = readDocument(bytes, "pushed");
    const mediaType = declared ?? statedType(document) ?? this.#recognisedType(document) ?? shownType(document);
    const kind = this.#pushableKindOf(mediaType);
    if (kind.signing) return this.#parseSigned(bytes, document, kind, kind.signing);
    return { mediaType, bytes, ...this.#readPushed(document, kind, mediaType) };
  }

  /**
   * A manifest that is stored. Whatever a peer has let in can be read: descriptors whose digest no storage can hold are left
   * out, other faulty fields count as absent.
   * @throws {ManifestInvalid} where the bytes are no JSON object or of a schema version that nobody has written
   * @see manifests, section 2, "Storage and type detection"
   */
  read(bytes: Uint8Array): Manifest {
    const document = readDocument(bytes, "stored");
    const mediaType = this.#storedType(document);
    const contents = this.#kindOf(mediaType).parse(document, mediaType, faultHandlerOf("stored"), "stored");
    return { mediaType, bytes, ...contents };
  }

  /**
   * The type under which a stored manifest is served; what it points at is not looked at.
   * @throws {ManifestInvalid} as {@link read}
   */
  mediaTypeOf(bytes: Uint8Array): string {
    return this.#storedType(readDocument(bytes, "stored"));
  }

  /** Of a kind whose documents are signed. */
  signingOf(mediaType: string): ManifestSigning | undefined {
    return this.#kinds.get(mediaType)?.signing;
  }

  #kindOf(mediaType: string): ManifestKind {
    const kind = this.#kinds.get(mediaType);
    if (kind) return kind;
    const accepted = [...this.#kinds].filter(([, { refusal }]) => refusal === undefined).map(([type]) => type);
    throw new ManifestInvalid(
      `unsupported manifest media type ${clip(mediaType)}: expected one of ${accepted.join(", ")}`,
    );
  }

  #pushableKindOf(mediaType: string): ManifestKind {
    const kind = this.#kindOf(mediaType);
    if (kind.refusal !== undefined) throw new ManifestInvalid(kind.refusal);
    return kind;
  }

  /** Of the pushed bytes only the payload counts. */
  #parseSigned(bytes: Uint8Array, document: JsonObject, kind: ManifestKind, signing: ManifestSigning): Manifest {
    const [mediaType] = kind.mediaTypes;
    const { payload, signatures } = signing.open(bytes, document);
    const contents = this.#readPushed(readDocument(payload, "pushed"), kind, mediaType);
    return { mediaType, bytes: payload, signatures, ...contents };
  }

  /** What a document says of itself is all that is known of its kind once it is stored. */
  #readPushed(document: JsonObject, kind: ManifestKind, mediaType: string): ManifestContents {
    const contents = kind.parse(document, mediaType, refuse, "pushed");
    if (TOLD_BY_KEYS.has(mediaType) || this.#toldType(document) === mediaType) return contents;
    checkMediaType(document, mediaType, { noun: "manifest", optional: false }, refuse);
    checkSchemaVersion(document, refuse);
    throw new ManifestInvalid(`this manifest would be taken for another kind than ${mediaType}`);
  }

  /** An unknown type is served as the OCI document that its keys show. */
  #storedType(document: JsonObject): string {
    const told = this.#toldType(document);
    if (told !== undefined) return told;
    if (document["schemaVersion"] !== 2) {
      throw new ManifestInvalid("unrecognized manifest schema version: expected 1 or 2");
    }
    return isPresent(document["manifests"]) ? MediaType.ociIndex : MediaType.ociManifest;
  }

  /** Undefined where it does not tell, or tells what is not known. */
  #toldType(document: JsonObject): string | undefined {
    const recognised = this.#recognisedType(document);
    const { schemaVersion, mediaType } = document;
    if (recognised !== undefined || schemaVersion !== 2 || typeof mediaType !== "string") return recognised;
    const kind = this.#kinds.get(mediaType);
    if (!kind || kind.recognises) return undefined;
    return kind.signing ? kind.mediaTypes[0] : mediaType;
  }

  #recognisedType(document: JsonObject): string | undefined {
    return this.#kinds.values().find((kind) => kind.recognises?.(document))?.mediaTypes[0];
  }
}

/** Those whose type a stored document shows without stating it. */
const TOLD_BY_KEYS: ReadonlySet<string> = new Set([MediaType.ociManifest, MediaType.ociIndex]);

function readDocument(bytes: Uint8Array, origin: Origin): JsonObject {
  return withKnownKeys(parseJsonObject(bytes, origin), DOCUMENT_KEYS, "the manifest", faultHandlerOf(origin));
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
  throw new ManifestInvalid(
    "the kind of this manifest cannot be told: expected a Content-Type, a mediaType, or one of the keys manifests, config and layers",
  );
}
