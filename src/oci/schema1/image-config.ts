import { ManifestInvalid } from "../errors.ts";
import {
  isJsonObject,
  type JsonObject,
  nameOf,
  optionalArray,
  optionalObject,
  optionalString,
  refuse,
} from "../json-fields.ts";
import { compactForGo, membersOf } from "./go-json.ts";
import { toGoTime, ZERO_TIME } from "./go-time.ts";

/**
 * What a schema 1 manifest needs of an image's configuration. Empty strings where it says nothing.
 * @see OCI image-spec 1.1, config.md
 */
export interface ImageConfig {
  readonly architecture: string;
  /** How many layers it speaks of. */
  readonly diffIds: number;
  /** Windows images of old; what their first layer lies upon. */
  readonly baseLayer: string;
  /** Oldest first. */
  readonly history: readonly HistoryEntry[];
  /** Each member of the document with its value's text. */
  readonly members: ReadonlyMap<string, string>;
}

export interface HistoryEntry {
  /** As the peers print it. */
  readonly created: string;
  readonly createdBy: string;
  readonly author: string;
  readonly comment: string;
  readonly emptyLayer: boolean;
}

const TEXT = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** @throws {ManifestInvalid} */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  const { text, object } = readText(bytes);
  const rootfs = optionalObject(object["rootfs"], "rootfs", refuse) ?? {};
  return {
    architecture: optionalString(object["architecture"], "architecture", refuse) ?? "",
    diffIds: (optionalArray(rootfs["diff_ids"], "rootfs.diff_ids", refuse) ?? []).length,
    baseLayer: optionalString(rootfs["base_layer"], "rootfs.base_layer", refuse) ?? "",
    history: (optionalArray(object["history"], "history", refuse) ?? []).map(readEntry),
    members: membersOf(compactForGo(text)),
  };
}

function readText(bytes: Uint8Array): { readonly text: string; readonly object: JsonObject } {
  try {
    const text = TEXT.decode(bytes);
    const object: unknown = JSON.parse(text);
    if (isJsonObject(object)) return { text, object };
  } catch (cause) {
    if (!(cause instanceof SyntaxError || cause instanceof TypeError)) throw cause;
  }
  throw new ManifestInvalid("the configuration of the image must be a JSON object in UTF-8");
}

function readEntry(value: unknown, index: number): HistoryEntry {
  const path = `history[${index}]`;
  const entry = optionalObject(value, path, refuse) ?? {};
  const read = (key: string): string => optionalString(entry[key], `${path}.${key}`, refuse) ?? "";
  return {
    created: readTime(entry["created"], `${path}.created`),
    createdBy: read("created_by"),
    author: read("author"),
    comment: read("comment"),
    emptyLayer: readFlag(entry["empty_layer"], `${path}.empty_layer`),
  };
}

function readTime(value: unknown, path: string): string {
  const text = optionalString(value, path, refuse);
  if (text === undefined) return ZERO_TIME;
  return toGoTime(text) ?? refuseTime(path);
}

function refuseTime(path: string): never {
  throw new ManifestInvalid(`${path} must be a time as RFC 3339 has it`);
}

function readFlag(value: unknown, path: string): boolean {
  if (typeof value === "boolean" || value === undefined || value === null) return value === true;
  throw new ManifestInvalid(`${path} must be true or false, not ${nameOf(value)}`);
}
