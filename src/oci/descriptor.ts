import type { BlobDigest } from "./blob-digest.ts";
import { type Digest, parseDigest } from "./digest.ts";
import { DigestInvalid } from "./errors.ts";
import {
  type FaultHandler,
  knownKeys,
  nameOf,
  nameOfNumber,
  optionalObject,
  optionalString,
  optionalStringMap,
  optionalStrings,
  present,
  withKnownKeys,
} from "./json-fields.ts";
import type { RepositoryName } from "./names.ts";

/**
 * Points at content: what it is, its digest and its size in bytes.
 * @see OCI image-spec 1.1, descriptor.md
 */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly urls?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  /** Base64 of the content. */
  readonly data?: string;
  readonly artifactType?: string;
  readonly platform?: Platform;
}

/** Of a blob, which may be named by the tarsum of old. */
export interface BlobDescriptor extends Omit<Descriptor, "digest"> {
  readonly digest: BlobDigest;
}

/** Of one that was linked from another repository. */
export interface MountedBlob extends BlobDescriptor {
  readonly from: RepositoryName;
}

/** Empty strings where the document says nothing. */
export interface Platform {
  readonly architecture: string;
  readonly os: string;
  readonly "os.version"?: string;
  readonly "os.features"?: readonly string[];
  readonly variant?: string;
}

const DESCRIPTOR_KEYS = knownKeys(
  "mediaType",
  "digest",
  "size",
  "urls",
  "annotations",
  "data",
  "artifactType",
  "platform",
);
const PLATFORM_KEYS = knownKeys("architecture", "os", "os.version", "os.features", "variant", "features");

/**
 * @param value as JSON has it
 * @param path where it stands in its document, for the sentence of a fault
 * @returns undefined where there is none, and where faults are overlooked but the digest says nothing
 */
export function readDescriptor(value: unknown, path: string, onFault: FaultHandler): Descriptor | undefined {
  const object = optionalObject(value, path, onFault);
  if (object === undefined) return undefined;
  const { mediaType, digest, size, ...rest } = withKnownKeys(object, DESCRIPTOR_KEYS, path, onFault);
  const checked = readDigest(digest, `${path}.digest`, onFault);
  if (checked === undefined) return undefined;
  return {
    mediaType: readMediaType(mediaType, `${path}.mediaType`, onFault) ?? "",
    digest: checked,
    size: readSize(size, `${path}.size`, onFault) ?? 0,
    ...present({
      urls: optionalStrings(rest["urls"], `${path}.urls`, onFault),
      annotations: optionalStringMap(rest["annotations"], `${path}.annotations`, onFault),
      data: readData(rest["data"], `${path}.data`, onFault),
      artifactType: optionalString(rest["artifactType"], `${path}.artifactType`, onFault),
      platform: readPlatform(rest["platform"], `${path}.platform`, onFault),
    }),
  };
}

function readDigest(value: unknown, path: string, onFault: FaultHandler): Digest | undefined {
  if (typeof value !== "string") return onFault(`${path} must be a digest, not ${nameOf(value)}`);
  try {
    return parseDigest(value);
  } catch (error) {
    if (error instanceof DigestInvalid) return onFault(`${path}: ${String(error.detail)}`);
    throw error;
  }
}

/** Any type is welcome, also one that nobody has heard of. */
function readMediaType(value: unknown, path: string, onFault: FaultHandler): string | undefined {
  if (typeof value === "string" && value !== "") return value;
  return onFault(`${path} must be a media type, not ${value === "" ? "empty" : nameOf(value)}`);
}

function readSize(value: unknown, path: string, onFault: FaultHandler): number | undefined {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  return onFault(`${path} must be a whole number of bytes, from 0 to 2^53 - 1, not ${nameOfNumber(value)}`);
}

function readData(value: unknown, path: string, onFault: FaultHandler): string | undefined {
  const text = optionalString(value, path, onFault);
  if (text === undefined || (text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text))) return text;
  return onFault(`${path} must be base64 with padding`);
}

function readPlatform(value: unknown, path: string, onFault: FaultHandler): Platform | undefined {
  const object = optionalObject(value, path, onFault);
  if (object === undefined) return undefined;
  const { architecture, os, variant, features, ...rest } = withKnownKeys(object, PLATFORM_KEYS, path, onFault);
  optionalStrings(features, `${path}.features`, onFault);
  return {
    architecture: optionalString(architecture, `${path}.architecture`, onFault) ?? "",
    os: optionalString(os, `${path}.os`, onFault) ?? "",
    ...present({
      "os.version": optionalString(rest["os.version"], `${path}.os.version`, onFault),
      "os.features": optionalStrings(rest["os.features"], `${path}.os.features`, onFault),
      variant: optionalString(variant, `${path}.variant`, onFault),
    }),
  };
}
