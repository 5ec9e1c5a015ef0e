import type { KeyObject } from "node:crypto";

const HMAC = ["HS256", "HS384", "HS512"] as const;
const RSA = ["RS256", "RS384", "RS512"] as const;
const PSS = ["PS256", "PS384", "PS512"] as const;

export const ALGORITHMS: readonly string[] = ["EdDSA", ...HMAC, ...RSA, "ES256", "ES384", "ES512", ...PSS];

const OF_CURVE: Readonly<Record<string, readonly string[]>> = {
  prime256v1: ["ES256"],
  secp384r1: ["ES384"],
  secp521r1: ["ES512"],
};

const OF_TYPE: Readonly<Record<string, readonly string[]>> = {
  rsa: [...RSA, ...PSS],
  "rsa-pss": PSS,
  ed25519: ["EdDSA"],
};

/** Bits; a shorter modulus can be factored. */
const SHORTEST_RSA = 2048;

/** Bytes; a shorter secret can be guessed, or belongs to no hash there is. */
const SHORTEST_SECRET = 32;

/**
 * What a key may sign with, by its own kind alone: a token cannot choose another use of it.
 * @returns none for a key that is too weak, or of a kind that signs no tokens
 */
export function algorithmsOf(key: KeyObject): readonly string[] {
  if (key.type === "secret") return (key.symmetricKeySize ?? 0) >= SHORTEST_SECRET ? HMAC : [];
  const { asymmetricKeyType = "", asymmetricKeyDetails } = key;
  const { namedCurve, modulusLength } = asymmetricKeyDetails ?? {};
  if (modulusLength !== undefined && modulusLength < SHORTEST_RSA) return [];
  return (namedCurve === undefined ? OF_TYPE[asymmetricKeyType] : OF_CURVE[namedCurve]) ?? [];
}
