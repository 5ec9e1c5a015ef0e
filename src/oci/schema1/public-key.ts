import { createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import { isJsonObject, type JsonObject, nameOf } from "../json-fields.ts";
import { decodeBase64 } from "./base64.ts";
import { curveOf, isFurtherMember, type JwsAlgorithm, KeyInvalid, publicMembers, secretMember } from "./jwk-members.ts";
import { type KeyId, keyIdOf } from "./key-id.ts";

/** Who signs a schema 1 manifest: a key on one of three curves, or RSA. */
export interface PublicKey {
  readonly id: KeyId;
  readonly key: KeyObject;
  /** As it is written into a signature: members in alphabetical order, `kid` among them, nothing secret. */
  readonly jwk: PublicJwk;
  /** What it may sign with; the first is what it signs with here. */
  readonly algorithms: readonly [JwsAlgorithm, ...JwsAlgorithm[]];
}

export type PublicJwk = Readonly<Record<string, JwkMember>>;

export type JwkMember = string | number | boolean | null | readonly string[];

/** Bits of an RSA modulus; OpenSSL uses no longer ones. */
const [SHORTEST_RSA, LONGEST_RSA] = [2048, 16384];

/**
 * @throws {KeyInvalid} also where a private member lies in it, or its `kid` is that of another key
 * @see RFC 7517, section 4; manifests, section 6
 */
export function parsePublicJwk(value: unknown): PublicKey {
  if (!isJsonObject(value)) throw new KeyInvalid(`a key must be a JSON object, not ${nameOf(value)}`);
  const secret = secretMember(value);
  if (secret !== undefined) throw new KeyInvalid(`the public key has the private member ${secret}`);
  return toPublicKey(importKey(publicMembers(value)), value);
}

/**
 * The key of a certificate, which vouches for nothing else here.
 * @param text base64 of DER
 * @throws {KeyInvalid}
 */
export function parseCertificateKey(text: string): PublicKey {
  return parsePublicJwk(exportKey(readCertificate(decodeBase64(text))));
}

/**
 * @param stated what a document says of the key: its `kid` is checked, and what else it has of simple members is kept
 * @throws {KeyInvalid}
 */
export function toPublicKey(key: KeyObject, stated: JsonObject = {}): PublicKey {
  const members = publicMembers(exportKey(key));
  const id = keyIdOf(key);
  const { kid = id } = stated;
  if (kid !== id) throw new KeyInvalid(`the kid of the key is not its fingerprint, ${id}`);
  const jwk = sorted({ ...furtherMembers(stated), ...members, kid: id });
  return { id, key, jwk, algorithms: algorithmsOf(key, members) };
}

function algorithmsOf(key: KeyObject, members: JsonObject): PublicKey["algorithms"] {
  const curve = curveOf(members);
  if (curve) return [curve.algorithm];
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (bits >= SHORTEST_RSA && bits <= LONGEST_RSA) return ["RS256", "RS384", "RS512"];
  throw new KeyInvalid(`an RSA key must have ${SHORTEST_RSA} to ${LONGEST_RSA} bits, not ${bits}`);
}

function importKey(members: Readonly<Record<string, string>>): KeyObject {
  try {
    return createPublicKey({ key: members, format: "jwk" });
  } catch (cause) {
    throw new KeyInvalid("the members of the key make no key: its point may not be on its curve", { cause });
  }
}

function exportKey(key: KeyObject): JsonObject {
  try {
    return key.export({ format: "jwk" }) as JsonObject;
  } catch (cause) {
    throw new KeyInvalid("a key must be of the type EC or RSA", { cause });
  }
}

function readCertificate(bytes: Uint8Array | undefined): KeyObject {
  try {
    return new X509Certificate(bytes ?? "").publicKey;
  } catch (cause) {
    throw new KeyInvalid("the first certificate of x5c cannot be read", { cause });
  }
}

function furtherMembers(stated: JsonObject): Readonly<Record<string, JwkMember>> {
  const members: Record<string, JwkMember> = {};
  for (const [name, value] of Object.entries(stated)) {
    if (isFurtherMember(name) && isMember(value)) members[name] = value;
  }
  return members;
}

function isMember(value: unknown): value is JwkMember {
  if (Array.isArray(value)) return value.every((item) => typeof item === "string");
  return value === null || ["string", "number", "boolean"].includes(typeof value);
}

function sorted(members: Readonly<Record<string, JwkMember>>): PublicJwk {
  return Object.fromEntries(Object.entries(members).sort(([a], [b]) => (a < b ? -1 : 1)));
}
