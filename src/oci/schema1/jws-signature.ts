import { ManifestInvalid, ManifestUnverified } from "../errors.ts";
import { clip, isJsonObject, type JsonObject, knownKeys, nameOf, refuse, withKnownKeys } from "../json-fields.ts";
import { decodeBase64url } from "./base64.ts";
import { toGoJson } from "./go-json.ts";
import { curveOf, type JwsAlgorithm, KeyInvalid } from "./jwk-members.ts";
import { type PayloadFormat, parseProtected } from "./payload-format.ts";
import { type PublicJwk, type PublicKey, parseCertificateKey, parsePublicJwk } from "./public-key.ts";

/**
 * One signature of a manifest, as `{"header":{"jwk":{…},"alg":"ES256"},"signature":"…","protected":"…"}`; with a chain of
 * certificates, `x5c` stands beside or in the place of `jwk`.
 * @see manifests, section 5.2; RFC 7515, section 7.2
 */
export interface JwsSignature {
  readonly header: SignatureHeader;
  /** base64url: r and s of fixed width, or what RSA gives. */
  readonly signature: string;
  /** base64url of JSON; the text itself is signed. */
  readonly protected: string;
  /** The key that must have signed. */
  readonly key: PublicKey;
  /** What the protected header says of the payload. */
  readonly format: PayloadFormat;
}

export interface SignatureHeader {
  readonly jwk?: PublicJwk;
  readonly alg: JwsAlgorithm;
  /** base64 of DER, the signer's first. */
  readonly x5c?: readonly string[];
}

const SIGNATURE_KEYS = knownKeys("header", "signature", "protected");
const HEADER_KEYS = knownKeys("jwk", "alg", "x5c");

/**
 * A signature that is well formed: whether it holds is for `verifySignatures` to say.
 * @param value as JSON has it
 * @param path where it stands in its document, for the sentence of a fault
 * @throws {ManifestInvalid} where it is of another shape
 * @throws {ManifestUnverified} where its key cannot be used, or its algorithm not with this key
 */
export function parseSignature(value: unknown, path: string): JwsSignature {
  const object = withKnownKeys(requireObject(value, path), SIGNATURE_KEYS, path, refuse);
  const header = withKnownKeys(
    requireObject(object["header"], `${path}.header`),
    HEADER_KEYS,
    `${path}.header`,
    refuse,
  );
  const signed = requireString(object["protected"], `${path}.protected`);
  const format = parseProtected(signed, `${path}.protected`);
  const signature = requireString(object["signature"], `${path}.signature`);
  const { key, ...sources } = readKey(header, path);
  const alg = checkAlgorithm(header["alg"], key, path);
  checkWidth(signature, key, path);
  return { header: { ...sources.jwk, alg, ...sources.x5c }, signature, protected: signed, key, format };
}

/**
 * A signature as it was stored on its own.
 * @throws {ManifestInvalid}
 * @throws {ManifestUnverified}
 * @see manifests, section 7
 */
export function parseStoredSignature(bytes: Uint8Array): JwsSignature {
  try {
    return parseSignature(JSON.parse(Buffer.from(bytes).toString()), "the stored signature");
  } catch (error) {
    throw error instanceof SyntaxError ? new ManifestInvalid("the stored signature is not JSON") : error;
  }
}

/** As it is stored: one line, keys in the peers' order, whatever the order in which it came. */
export function toStoredSignature(signature: JwsSignature): Uint8Array {
  return Buffer.from(toGoJson(toJson(signature)));
}

/** What is printed of it. */
export function toJson({ header, signature, protected: signed }: JwsSignature): object {
  return { header, signature, protected: signed };
}

/** The order in which signatures stand in a document: by key, then by text. */
export function compareSignatures(a: JwsSignature, b: JwsSignature): number {
  const [x, y] = [`${a.key.id} ${a.signature}`, `${b.key.id} ${b.signature}`];
  return x < y ? -1 : x > y ? 1 : 0;
}

interface KeySources {
  readonly key: PublicKey;
  readonly jwk: { readonly jwk?: PublicJwk };
  readonly x5c: { readonly x5c?: readonly string[] };
}

/** Of the first certificate where there is a chain; nothing else of the chain is looked at. */
function readKey({ jwk, x5c }: JsonObject, path: string): KeySources {
  try {
    const stated = jwk === undefined || jwk === null ? undefined : parsePublicJwk(jwk);
    const chain = x5c === undefined || x5c === null ? undefined : requireChain(x5c);
    const key = chain ? parseCertificateKey(chain[0]) : stated;
    if (key === undefined) throw new KeyInvalid("there is neither a jwk nor an x5c");
    if (stated && stated.id !== key.id) throw new KeyInvalid("jwk and x5c name two keys");
    return { key, jwk: stated ? { jwk: stated.jwk } : {}, x5c: chain ? { x5c: chain } : {} };
  } catch (error) {
    throw error instanceof KeyInvalid ? new ManifestUnverified(`${path}.header: ${error.message}`) : error;
  }
}

function requireChain(value: unknown): readonly [string, ...string[]] {
  if (Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === "string")) {
    return value as [string, ...string[]];
  }
  throw new KeyInvalid("x5c must be an array of certificates");
}

/** Never an algorithm of the signer's choice: a key has its own. */
function checkAlgorithm(alg: unknown, key: PublicKey, path: string): JwsAlgorithm {
  const found = key.algorithms.find((algorithm) => algorithm === alg);
  if (found !== undefined) return found;
  const given = typeof alg === "string" ? clip(alg) : nameOf(alg);
  throw new ManifestUnverified(`${path}.header.alg must be ${key.algorithms.join(" or ")} with this key, not ${given}`);
}

function checkWidth(signature: string, key: PublicKey, path: string): void {
  const bytes = decodeBase64url(signature);
  if (bytes === undefined) throw new ManifestInvalid(`${path}.signature must be in base64url`);
  const width = 2 * (curveOf(key.jwk)?.width ?? 0);
  if (width === 0 || bytes.length === width) return;
  throw new ManifestUnverified(`${path}.signature must have ${width} bytes with this key, not ${bytes.length}`);
}

function requireObject(value: unknown, path: string): JsonObject {
  return isJsonObject(value) ? value : invalid(`${path} must be an object, not ${nameOf(value)}`);
}

function requireString(value: unknown, path: string): string {
  return typeof value === "string" ? value : invalid(`${path} must be a string, not ${nameOf(value)}`);
}

function invalid(detail: string): never {
  throw new ManifestInvalid(detail);
}
