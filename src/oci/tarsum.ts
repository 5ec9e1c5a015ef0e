import { DigestInvalid } from "./errors.ts";

/**
 * A sum over what a tar holds, whatever the order of its entries: `tarsum[.<version>]+<hash name>:<hex>`, the text as it
 * was given, hex in either case. Layers of Docker 1.3 to 1.6 are named by it.
 */
export type Tarsum = string & { readonly __brand: "Tarsum" };

/** `v0` is the one without a version in its text; it alone sums times. `v1` and `dev` sum extended attributes. */
export type TarsumVersion = "v0" | "v1" | "dev";

export type TarsumAlgorithm = "sha256" | "sha512";

/** What has to be calculated to verify a tarsum. */
export interface TarsumMethod {
  readonly version: TarsumVersion;
  readonly algorithm: TarsumAlgorithm;
}

interface Parts {
  /** Without the dot; undefined where the text has none. */
  readonly version: string | undefined;
  readonly algorithm: string;
  readonly hex: string;
}

/** The lengths keep every part within a file's name. */
const GRAMMAR = /^tarsum(?:\.(?<version>[a-z0-9]{1,64}))?\+(?<algorithm>[a-zA-Z0-9]{1,64}):(?<hex>[0-9a-fA-F]{2,128})$/;

const HEX_LENGTH: Readonly<Record<TarsumAlgorithm, number>> = { sha256: 64, sha512: 128 };

/** The text's version, as Docker wrote it. A written `v0` is of the grammar, and nobody ever calculated it. */
const VERSIONS: ReadonlyMap<string | undefined, TarsumVersion> = new Map([
  [undefined, "v0"],
  ["v1", "v1"],
  ["dev", "dev"],
]);

/**
 * Takes versions and hash names that nobody can verify too: the registry of 2015 did, so storage may hold them.
 *
 * @throws {DigestInvalid} when the text is not of the grammar, or a known hash has another length
 */
export function parseTarsum(text: string): Tarsum {
  const parts = partsOf(text);
  if (parts === undefined) {
    throw new DigestInvalid("invalid tarsum format: expected tarsum[.<version>]+<hash name>:<hex>");
  }
  const { algorithm, hex } = parts;
  if (isAlgorithm(algorithm) && hex.length !== HEX_LENGTH[algorithm]) {
    throw new DigestInvalid(`invalid tarsum length: ${algorithm} has ${HEX_LENGTH[algorithm]} hex characters`);
  }
  return text as Tarsum;
}

export function isTarsum(text: string): text is Tarsum {
  try {
    parseTarsum(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * What to calculate, undefined where version or hash name are unknown. What comes out has lower-case hex and is compared
 * as text, as ever: a tarsum in upper case is found in storage but never verified.
 */
export function methodOf(tarsum: Tarsum): TarsumMethod | undefined {
  const { version: written, algorithm } = knownParts(tarsum);
  const version = VERSIONS.get(written);
  return version === undefined || !isAlgorithm(algorithm) ? undefined : { version, algorithm };
}

/** @throws {DigestInvalid} for a tarsum that nobody can verify */
export function requireMethod(tarsum: Tarsum): TarsumMethod {
  const method = methodOf(tarsum);
  if (method !== undefined) return method;
  const versions = [...VERSIONS.keys()].map((version) => (version === undefined ? "tarsum" : `tarsum.${version}`));
  const algorithms = Object.keys(HEX_LENGTH).join(" or ");
  throw new DigestInvalid(`${tarsum} cannot be verified: expected ${versions.join(", ")} with ${algorithms}`);
}

/** Joins a method and what the hash printed; no check. */
export function toTarsum({ version, algorithm }: TarsumMethod, hex: string): Tarsum {
  const written = version === "v0" ? "" : `.${version}`;
  return `tarsum${written}+${algorithm}:${hex}` as Tarsum;
}

/** Below a repository's `_layers`: `tarsum/<version, or v0>/<hash name>/<hex>`. */
export function layerPathOf(tarsum: Tarsum): string {
  const { version = "v0", algorithm, hex } = knownParts(tarsum);
  return `tarsum/${version}/${algorithm}/${hex}`;
}

/** Below `blobs`, where layers of 2014 lie: the same with the first two characters of the hex before it. */
export function blobPathOf(tarsum: Tarsum): string {
  const { version = "v0", algorithm, hex } = knownParts(tarsum);
  return `tarsum/${version}/${algorithm}/${hex.slice(0, 2)}/${hex}`;
}

function knownParts(tarsum: Tarsum): Parts {
  const parts = partsOf(tarsum);
  if (parts === undefined) throw new TypeError("not made by parseTarsum");
  return parts;
}

function partsOf(text: string): Parts | undefined {
  const { version, algorithm, hex } = GRAMMAR.exec(text)?.groups ?? {};
  return algorithm === undefined || hex === undefined ? undefined : { version, algorithm, hex };
}

function isAlgorithm(name: string): name is TarsumAlgorithm {
  return Object.hasOwn(HEX_LENGTH, name);
}
