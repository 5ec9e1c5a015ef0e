/**
 * What may stand under `storage.s3` in the configuration, as docker/distribution has it. Every value may be text, because
 * environment variables are.
 *
 * @see storage-layout, section 10, "s3"
 */
import { StorageError } from "../errors.ts";

/** The driver's name in errors. */
export const S3 = "s3";

export interface S3Parameters {
  /** Both or none: without them the SDK looks in the environment, profiles and the machine's role. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
  readonly region: string;
  /** Another server than Amazon's, with a scheme. */
  readonly endpoint: URL | undefined;
  readonly forcePathStyle: boolean;
  readonly bucket: string;
  /** Without a slash at either end. */
  readonly rootdirectory: string;
  readonly encrypt: boolean;
  readonly keyId: string | undefined;
  readonly secure: boolean;
  readonly skipVerify: boolean;
  /** Bytes of a part of an upload. */
  readonly chunkSize: number;
  readonly copyChunkSize: number;
  /** Parts of one copy at a time. */
  readonly copyConcurrency: number;
  /** Objects with more bytes are copied in parts. */
  readonly copyThreshold: number;
  /** Undefined: none is sent. */
  readonly storageClass: string | undefined;
  readonly acl: string;
  readonly userAgent: string;
  readonly accelerate: boolean;
  readonly dualStack: boolean;
  readonly fips: boolean;
  readonly logLevel: string;
  /** Scheme and host of the URLs that clients are redirected to, where not the endpoint's. */
  readonly redirectEndpoint: URL | undefined;
}

const MIB = 1024 * 1024;
/** What S3 takes as a part, but for the last one. */
export const SMALLEST_PART: number = 5 * MIB;
export const LARGEST_PART: number = 5 * 1024 * MIB;

const STORAGE_CLASSES = [
  "NONE",
  "STANDARD",
  "REDUCED_REDUNDANCY",
  "STANDARD_IA",
  "ONEZONE_IA",
  "INTELLIGENT_TIERING",
  "OUTPOSTS",
  "GLACIER_IR",
  "EXPRESS_ONEZONE",
];

const ACLS = [
  "private",
  "public-read",
  "public-read-write",
  "authenticated-read",
  "aws-exec-read",
  "bucket-owner-read",
  "bucket-owner-full-control",
];

const LOG_LEVELS = [
  "off",
  "debug",
  "debugwithsigning",
  "debugwithhttpbody",
  "debugwithrequestretries",
  "debugwithrequesterrors",
  "debugwitheventstreambody",
];

/** @throws {StorageError} that names the first key that is wrong, and what it may be */
export function parseS3Parameters(values: Readonly<Record<string, unknown>>): S3Parameters {
  const read = new ParameterReader(values);
  const secure = read.bool("secure", true);
  const endpoint = read.url("regionendpoint", secure, "/");
  if (!read.bool("v4auth", true)) throw wrong("v4auth", "false", "true: signatures of version 2 are not supported");
  return {
    credentials: readCredentials(read),
    region: readRegion(read, endpoint !== undefined),
    endpoint,
    forcePathStyle: read.bool("forcepathstyle", endpoint !== undefined),
    bucket: read.required("bucket", "the name of a bucket"),
    rootdirectory: read.text("rootdirectory").replace(/^\/+|\/+$/g, ""),
    encrypt: read.bool("encrypt", false),
    keyId: read.text("keyid") || undefined,
    secure,
    skipVerify: read.bool("skipverify", false),
    chunkSize: read.whole("chunksize", 10 * MIB, SMALLEST_PART, LARGEST_PART),
    copyChunkSize: read.whole("multipartcopychunksize", 32 * MIB, SMALLEST_PART, LARGEST_PART),
    copyConcurrency: read.whole("multipartcopymaxconcurrency", 100, 1, 10_000),
    copyThreshold: read.whole("multipartcopythresholdsize", 32 * MIB, 0, LARGEST_PART),
    storageClass: readStorageClass(read),
    acl: read.oneOf("objectacl", "private", ACLS),
    userAgent: read.text("useragent") || "wharfinger",
    accelerate: read.bool("accelerate", false),
    dualStack: read.bool("usedualstack", false),
    fips: read.bool("usefipsendpoint", false),
    logLevel: read.oneOf("loglevel", "off", LOG_LEVELS, (text) => (text === "false" ? "off" : text.toLowerCase())),
    redirectEndpoint: read.url("redirectendpoint", secure, ""),
  };
}

function readCredentials(read: ParameterReader): S3Parameters["credentials"] {
  const [accessKeyId, secretAccessKey] = [read.text("accesskey"), read.text("secretkey")];
  return accessKeyId !== "" && secretAccessKey !== "" ? { accessKeyId, secretAccessKey } : undefined;
}

/** Amazon adds regions faster than anybody releases programs: what looks like one may be one. */
function readRegion(read: ParameterReader, elsewhere: boolean): string {
  const what = "the name of a region of Amazon, such as eu-west-1";
  if (elsewhere) return read.text("region") || "us-east-1";
  const region = read.required("region", `${what}, or regionendpoint for another server`);
  if (!/^[a-z]{2,}(?:-[a-z]+)+-\d+$/.test(region)) throw wrong("region", JSON.stringify(region), what);
  return region;
}

function readStorageClass(read: ParameterReader): string | undefined {
  const name = read.oneOf("storageclass", "STANDARD", STORAGE_CLASSES, (text) => text.toUpperCase());
  return name === "NONE" ? undefined : name;
}

class ParameterReader {
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(values: Readonly<Record<string, unknown>>) {
    this.#values = values;
  }

  /** Empty where it is not set. */
  text(key: string): string {
    const value = this.#values[key] ?? "";
    if (typeof value === "object") throw wrong(key, JSON.stringify(value), "a text, a number, true or false");
    return String(value);
  }

  required(key: string, what: string): string {
    const text = this.text(key);
    if (text === "") throw new StorageError(S3, `storage.s3.${key} is missing, must be ${what}`);
    return text;
  }

  bool(key: string, byDefault: boolean): boolean {
    const text = this.text(key);
    if (text === "") return byDefault;
    if (/^(?:true|t|1)$/i.test(text)) return true;
    if (/^(?:false|f|0)$/i.test(text)) return false;
    throw wrong(key, JSON.stringify(text), "true or false");
  }

  whole(key: string, byDefault: number, least: number, most: number): number {
    const text = this.text(key);
    if (text === "") return byDefault;
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw wrong(key, JSON.stringify(text), `a whole number from ${least} to ${most}`);
  }

  oneOf(
    key: string,
    byDefault: string,
    names: readonly string[],
    normalize: (text: string) => string = (text) => text,
  ): string {
    const text = this.text(key);
    const name = text === "" ? byDefault : normalize(text);
    if (names.includes(name)) return name;
    throw wrong(key, JSON.stringify(text), `one of ${names.join(", ")}`);
  }

  /**
   * `host:port` gets the scheme that `secure` says.
   * @param path `/` where the URL may have one, else empty
   */
  url(key: string, secure: boolean, path: "/" | ""): URL | undefined {
    const text = this.text(key);
    if (text === "") return undefined;
    const whole = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `${secure ? "https" : "http"}://${text}`;
    const url = URL.canParse(whole) ? new URL(whole) : undefined;
    const expected = url && `${url.origin}${path ? url.pathname : "/"}`;
    if (url && /^https?:$/.test(url.protocol) && url.href === expected) return url;
    throw wrong(key, JSON.stringify(text), "scheme, host and port of a server, such as https://s3.example:9000");
  }
}

function wrong(key: string, found: string, accepted: string): StorageError {
  return new StorageError(S3, `storage.s3.${key} is ${found}, must be ${accepted}`);
}
