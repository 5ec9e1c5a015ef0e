import type { BlobDigest } from "../blob-digest.ts";
import { ManifestInvalid, NameInvalid } from "../errors.ts";
import {
  isJsonObject,
  type JsonObject,
  knownKeys,
  nameOf,
  nameOfNumber,
  optionalString,
  refuse,
  withKnownKeys,
} from "../json-fields.ts";
import { parseStoredName, parseTag, type RepositoryName, type Tag } from "../names.ts";
import { parseBlobSum } from "./blob-sum.ts";

/**
 * What a schema 1 manifest says: `{schemaVersion: 1, name, tag, architecture, fsLayers: [{blobSum}], history:
 * [{v1Compatibility}]}`, both arrays newest first.
 * @see manifests, section 5.1
 */
export interface Schema1Document {
  readonly name: RepositoryName;
  /** Empty where the image was pushed by digest. */
  readonly tag: Tag | "";
  readonly architecture: string;
  readonly blobSums: readonly BlobDigest[];
  /** `v1Compatibility` of each layer: a text that is JSON, which nobody has checked. */
  readonly history: readonly string[];
}

const DOCUMENT_KEYS = knownKeys("schemaVersion", "name", "tag", "architecture", "fsLayers", "history", "signatures");
const LAYER_KEYS = knownKeys("blobSum");
const HISTORY_KEYS = knownKeys("v1Compatibility");

/** Characters, with a component that looks like a host. */
const LONGEST_NAME = 255;

/**
 * @param object what was signed
 * @throws {ManifestInvalid}
 * @throws {NameInvalid}
 * @throws {TagInvalid}
 * @see manifests, section 5.3, "PUT"
 */
export function checkDocument(object: JsonObject): Schema1Document {
  const document = withKnownKeys(object, DOCUMENT_KEYS, "the manifest", refuse);
  if (Object.hasOwn(document, "signatures")) refuse("the key signatures stands within what is signed");
  const { schemaVersion } = document;
  if (schemaVersion !== 1) {
    refuse(`schemaVersion must be the number 1, not ${nameOfNumber(schemaVersion)}`);
  }
  const blobSums = readList(document, "fsLayers").map(readBlobSum);
  const history = readList(document, "history").map(readHistory);
  if (blobSums.length !== history.length) {
    refuse(`fsLayers and history must be equally long, not ${blobSums.length} and ${history.length}`);
  }
  return {
    name: readName(document["name"]),
    tag: readTag(document["tag"]),
    architecture: optionalString(document["architecture"], "architecture", refuse) ?? "",
    blobSums,
    history,
  };
}

function readList(document: JsonObject, key: string): readonly unknown[] {
  const value = document[key];
  if (Array.isArray(value)) return value;
  throw new ManifestInvalid(`${key} must be an array, not ${nameOf(value)}`);
}

function readBlobSum(layer: unknown, index: number): BlobDigest {
  const { blobSum } = withKnownKeys(
    requireObject(layer, `fsLayers[${index}]`),
    LAYER_KEYS,
    `fsLayers[${index}]`,
    refuse,
  );
  return parseBlobSum(blobSum, `fsLayers[${index}].blobSum`);
}

function readHistory(entry: unknown, index: number): string {
  const path = `history[${index}]`;
  const { v1Compatibility: text } = withKnownKeys(requireObject(entry, path), HISTORY_KEYS, path, refuse);
  if (typeof text === "string") return text;
  throw new ManifestInvalid(`${path}.v1Compatibility must be a string, not ${nameOf(text)}`);
}

function requireObject(value: unknown, path: string): JsonObject {
  if (isJsonObject(value)) return value;
  throw new ManifestInvalid(`${path} must be an object, not ${nameOf(value)}`);
}

/** Also names that were allowed in the past: images of that time carry them. */
function readName(value: unknown): RepositoryName {
  if (typeof value !== "string") throw new NameInvalid(`name must be a string, not ${nameOf(value)}`);
  if (value.length > LONGEST_NAME) throw new NameInvalid(`at most ${LONGEST_NAME} characters, not ${value.length}`);
  return parseStoredName(value);
}

function readTag(value: unknown): Tag | "" {
  const tag = optionalString(value, "tag", refuse) ?? "";
  return tag === "" ? "" : parseTag(tag);
}
