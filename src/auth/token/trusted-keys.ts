import { createPublicKey, createSecretKey, type KeyObject, X509Certificate } from "node:crypto";
import { isJsonObject, type JsonObject, nameOf } from "../../oci/json-fields.ts";
import { algorithmsOf } from "./algorithms.ts";
import { idsOf, thumbprintOf } from "./key-ids.ts";

/** Who may sign tokens. Replaced as a whole when a file or an answer changes. */
export interface TrustedKeys {
  readonly byId: ReadonlyMap<string, TrustedKey>;
  /** Certificates that vouch for others, and sign themselves. */
  readonly roots: readonly X509Certificate[];
}

export interface TrustedKey {
  readonly key: KeyObject;
  /** What it may sign with. */
  readonly algorithms: readonly string[];
  /** Of a public key. */
  readonly thumbprint: string | undefined;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Each key of a bundle under its ids, and its certificate as a root.
 * @param pem blocks of other kinds are passed over
 * @throws {Error} where there is no certificate, or one cannot be read
 */
export function parseBundle(pem: string): TrustedKeys {
  const roots = (pem.match(CERTIFICATE) ?? []).map((block, index) => readCertificate(block, index + 1));
  if (roots.length === 0) throw new Error("token auth requires at least one token signing root certificate");
  const usable = roots.map(({ publicKey }) => trusted(publicKey)).filter(({ algorithms }) => algorithms.length > 0);
  return { byId: new Map(usable.flatMap((key) => idsOf(key.key).map((id) => [id, key] as const))), roots };
}

function readCertificate(pem: string, number: number): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new Error(`certificate ${number} of the bundle cannot be read`, { cause });
  }
}

function trusted(key: KeyObject, algorithm?: unknown): TrustedKey {
  const algorithms = algorithmsOf(key).filter((one) => algorithm === undefined || one === algorithm);
  return {
    key,
    algorithms,
    thumbprint: key.type === "secret" ? undefined : thumbprintOf(key.export({ format: "jwk" }) as JsonObject),
  };
}

/** Keys of a set that are looked at. */
const MOST_KEYS = 1000;

/**
 * The keys of a JWK Set that can verify tokens: each under its `kid`, and what is public also under its ids. Keys for
 * another use, or of a kind or length that verifies none, are passed over.
 *
 * @param secrets whether secrets shared with the token server count: only where nobody else can read the set
 * @throws {Error} where it is no set, or has no such key
 * @see RFC 7517, section 5
 */
export function parseKeySet(text: string, secrets: boolean): TrustedKeys {
  const set = parseJson(text);
  const keys = isJsonObject(set) ? set["keys"] : undefined;
  if (!Array.isArray(keys) || keys.length > MOST_KEYS) {
    throw new Error(`a JWK Set must be a JSON object with a list "keys" of up to ${MOST_KEYS}, not ${nameOf(set)}`);
  }
  const byId = new Map(keys.flatMap((jwk) => (isJsonObject(jwk) ? named(jwk, secrets) : [])));
  if (byId.size === 0) throw new Error("the JWK Set has no key that can verify a token");
  return { byId, roots: [] };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error("a JWK Set must be JSON");
  }
}

function named(jwk: JsonObject, secrets: boolean): (readonly [string, TrustedKey])[] {
  const key = isForSignatures(jwk) ? importKey(jwk, secrets) : undefined;
  const one = key && trusted(key, jwk["alg"]);
  if (!one || one.algorithms.length === 0) return [];
  const { kid } = jwk;
  const own = typeof kid === "string" && kid !== "" ? [kid] : [];
  return [...(one.key.type === "secret" ? [] : idsOf(one.key)), ...own].map((id) => [id, one]);
}

function isForSignatures({ use, key_ops: operations }: JsonObject): boolean {
  if (use !== undefined && use !== "sig") return false;
  return operations === undefined || (Array.isArray(operations) && operations.includes("verify"));
}

function importKey(jwk: JsonObject, secrets: boolean): KeyObject | undefined {
  try {
    if (jwk["kty"] !== "oct") return createPublicKey({ key: jwk as Record<string, string>, format: "jwk" });
    return secrets ? createSecretKey(Buffer.from(String(jwk["k"] ?? ""), "base64url")) : undefined;
  } catch {
    return undefined;
  }
}

/** What is trusted by any of them; of two keys of one name the later counts. */
export function joined(...all: readonly TrustedKeys[]): TrustedKeys {
  return {
    byId: new Map(all.flatMap(({ byId }) => [...byId])),
    roots: all.flatMap(({ roots }) => roots),
  };
}
