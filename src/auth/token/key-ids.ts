import { hash, type KeyObject } from "node:crypto";
import { keyIdOf } from "../../oci/schema1/key-id.ts";

type Members = Readonly<Record<string, unknown>>;

/** Members that make up a key, in alphabetical order. @see RFC 7638, section 3.2; RFC 8037, section 2 */
const MEMBERS: ReadonlyMap<unknown, readonly string[]> = new Map([
  ["EC", ["crv", "kty", "x", "y"]],
  ["OKP", ["crv", "kty", "x"]],
  ["RSA", ["e", "kty", "n"]],
]);

/**
 * A key's thumbprint, by which it is also told from all others.
 * @returns undefined for what is no public key
 * @see RFC 7638
 */
export function thumbprintOf(jwk: Members): string | undefined {
  const names = MEMBERS.get(jwk["kty"]);
  if (!names?.every((name) => typeof jwk[name] === "string")) return undefined;
  return hash("sha256", JSON.stringify(Object.fromEntries(names.map((name) => [name, jwk[name]]))), "base64url");
}

/**
 * Under which names tokens tell of a public key that came without one: the fingerprint of distribution 2.x, the thumbprint,
 * and the thumbprint of distribution 3.x, which leaves zero bytes before a coordinate out.
 * @see auth, section 5, "Token format"
 */
export function idsOf(key: KeyObject): readonly string[] {
  const jwk = key.export({ format: "jwk" }) as Members;
  const bare = { ...jwk, ...(jwk["kty"] === "EC" && { x: stripped(jwk["x"]), y: stripped(jwk["y"]) }) };
  const ids = [keyIdOf(key), thumbprintOf(jwk), thumbprintOf(bare)];
  return [...new Set(ids.filter((id) => id !== undefined))];
}

function stripped(coordinate: unknown): string {
  const bytes = Buffer.from(String(coordinate), "base64url");
  const first = bytes.findIndex((byte) => byte !== 0);
  return bytes.subarray(Math.max(first, 0)).toString("base64url");
}
