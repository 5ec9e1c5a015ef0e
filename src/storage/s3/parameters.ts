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
  const fail = ({ key, sentence }: S3Problem): never => {
    throw new StorageError(S3, `storage.s3.${key} ${sentence}`);
  };
  return readParameters(new ParameterReader(values, fail));
}

export interface S3Problem {
  readonly key: string;
  /** `is "5", must be …` */
  readonly sentence: string;
}

/** What {@link parseS3Parameters} has against these values, all of it. */
export function s3Problems(values: Readonly<Record<string, unknown>>): readonly S3Problem[] {
  const problems: S3Problem[] = [];
  readParameters(new ParameterReader(values, (problem) => problems.push(problem)));
  return problems;
}

/** Given parameters that nobody heeds, each without the other one that it needs. */
export function s3Ignored(values: Readonly<Record<string, unknown>>): readonly S3Problem[] {
  const read = new ParameterReader(values, () => undefined);
  const [key, secret] = [read.text("accesskey"), read.text("secretkey")];
  const instead = "the SDK looks for credentials in the environment, profiles and the machine's role";
  return [
    ...(key !== "" && secret === "" ? [ignored("accesskey", "secretkey", instead)] : []),
    ...(key === "" && secret !== "" ? [ignored("secretkey", "accesskey", instead)] : []),
    ...(read.text("keyid") !== "" && !read.bool("encrypt", false)
      ? [ignored("keyid", "encrypt: true", "nothing is encrypted with it")]
      : []),
  ];
}

function ignored(key: string, other: string, instead: string): S3Problem {
  return { key, sentence: `counts only with ${other}, and is ignored, as by the peers: ${instead}` };
}

function readParameters(read: ParameterReader): S3Parameters {
  const secure = read.bool("secure", true);
  const endpoint = read.url("regionendpoint", secure, "/");
  if (!read.bool("v4auth", true)) read.wrong("v4auth", "false", "true: signatures of version 2 are not supported");
  return {
    credentials: readCredentials(read),
    region: readRegion(read, read.text("regionendpoint") !== ""),
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
  if (region !== "" && !/^[a-z]{2,}(?:-[a-z]+)+-\d+$/.test(region)) read.wrong("region", JSON.stringify(region), what);
  return region;
}

function readStorageClass(read: ParameterReader): string | undefined {
  const name = read.oneOf("storageclass", "STANDARD", STORAGE_CLASSES, (text) => text.toUpperCase());
  return name === "NONE" ? undefined : name;
}

/** Goes on with what is not set where it has told of a value that is wrong. */
class ParameterReader {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #tell: (problem: S3Problem) => unknown;

  constructor(values: Readonly<Record<string, unknown>>, tell: (problem: S3Problem) => unknown) {
    this.#values = values;
    this.#tell = tell;
  }

  wrong(key: string, found: string, accepted: string): void {
    this.#tell({ key, sentence: `is ${found}, must be ${accepted}` });
  }

  /** Empty where it is not set. */
  text(key: string): string {
    const value = this.#values[key] ?? "";
    if (typeof value !== "object") return String(value);
    this.wrong(key, JSON.stringify(value), "a text, a number, true or false");
    return "";
  }

  required(key: string, what: string): string {
    const text = this.text(key);
    if (text === "") this.#tell({ key, sentence: `is missing, must be ${what}` });
    return text;
  }

  bool(key: string, byDefault: boolean): boolean {
    const text = this.text(key);
    if (text === "") return byDefault;
    if (/^(?:true|t|1)$/i.test(text)) return true;
    if (!/^(?:false|f|0)$/i.test(text)) this.wrong(key, JSON.stringify(text), "true or false");
    return false;
  }

  whole(key: string, byDefault: number, least: number, most: number): number {
    const text = this.text(key);
    if (text === "") return byDefault;
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    this.wrong(key, JSON.stringify(text), `a whole number from ${least} to ${most}`);
    return byDefault;
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
    this.wrong(key, JSON.stringify(text), `one of ${names.join(", ")}`);
    return byDefault;
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
    const shown = text.includes("@") ? "something else (not shown)" : JSON.stringify(text); // maybe with a password
    this.wrong(key, shown, "scheme, host and port of a server, such as https://s3.example:9000");
    return undefined;
  }
}
