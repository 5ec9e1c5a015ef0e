import type { JsonObject } from "../json-fields.ts";
import { decodeBase64url } from "./base64.ts";

/** A key that cannot be used, in a sentence that shows nothing of a private one. */
export class KeyInvalid extends Error {
  override readonly name = "KeyInvalid" as const;
}

export type JwsAlgorithm = "ES256" | "ES384" | "ES512" | "RS256" | "RS384" | "RS512";

export interface Curve {
  readonly algorithm: JwsAlgorithm;
  /** Bytes of a coordinate, of the private number, and of half a signature. */
  readonly width: number;
}

const CURVES: ReadonlyMap<unknown, Curve> = new Map([
  ["P-256", { algorithm: "ES256", width: 32 }],
  ["P-384", { algorithm: "ES384", width: 48 }],
  ["P-521", { algorithm: "ES512", width: 66 }],
]);

/** Bytes. OpenSSL takes no longer modulus; an exponent is 65537 nearly always, and Node needs minutes to tell a long one. */
const [LONGEST_MODULUS, LONGEST_EXPONENT] = [2048, 8];

const SECRET_EC = ["d"] as const;
const SECRET_RSA = ["d", "p", "q", "dp", "dq", "qi"] as const;

/** Members that are the key, and those that must never be told. */
const SECRET: readonly string[] = [...SECRET_RSA, "oth", "k"];
const OWN: readonly string[] = ["kty", "kid", "crv", "x", "y", "n", "e", ...SECRET];

/**
 * The members that are the public key, each checked on its own.
 * @throws {KeyInvalid}
 * @see RFC 7518, section 6; manifests, section 6
 */
export function publicMembers(jwk: JsonObject): Readonly<Record<string, string>> {
  const { kty, crv } = jwk;
  if (kty === "RSA")
    return { e: shortMember(jwk, "e", LONGEST_EXPONENT), kty, n: shortMember(jwk, "n", LONGEST_MODULUS) };
  if (kty !== "EC") throw new KeyInvalid("a key must be of the type EC or RSA");
  if (typeof crv !== "string" || !CURVES.has(crv)) {
    throw new KeyInvalid(`the curve of a key must be one of ${[...CURVES.keys()].join(", ")}`);
  }
  return { crv, kty, x: wideMember(jwk, "x"), y: wideMember(jwk, "y") };
}

/**
 * The members that make a private key of a public one.
 * @throws {KeyInvalid}
 */
export function privateMembers(jwk: JsonObject): Readonly<Record<string, string>> {
  if (!Object.hasOwn(jwk, "d")) throw new KeyInvalid("the signing key has no d: it is a public key");
  if (jwk["kty"] === "EC") return Object.fromEntries(SECRET_EC.map((member) => [member, wideMember(jwk, member)]));
  return Object.fromEntries(SECRET_RSA.map((member) => [member, base64urlMember(jwk, member).text]));
}

/** The first private member of what should be a public key. */
export function secretMember(jwk: JsonObject): string | undefined {
  return SECRET.find((member) => Object.hasOwn(jwk, member));
}

/** Whether a member says something about the key and is no part of it. */
export function isFurtherMember(name: string): boolean {
  return !OWN.includes(name);
}

export function curveOf(jwk: JsonObject): Curve | undefined {
  return CURVES.get(jwk["crv"]);
}

function wideMember(jwk: JsonObject, member: string): string {
  const width = curveOf(jwk)?.width;
  const { text, bytes } = base64urlMember(jwk, member);
  if (bytes.length === width) return text;
  throw new KeyInvalid(`${member} must have ${width} bytes on this curve, not ${bytes.length}`);
}

function shortMember(jwk: JsonObject, member: string, longest: number): string {
  const { text, bytes } = base64urlMember(jwk, member);
  if (bytes.length <= longest) return text;
  throw new KeyInvalid(`${member} of an RSA key may have ${longest} bytes, not ${bytes.length}`);
}

function base64urlMember(jwk: JsonObject, member: string): { readonly text: string; readonly bytes: Uint8Array } {
  const text = jwk[member];
  const bytes = typeof text === "string" ? decodeBase64url(text) : undefined;
  if (typeof text === "string" && bytes !== undefined && bytes.length > 0) return { text, bytes };
  throw new KeyInvalid(`${member} of a key must be in base64url`);
}
