import { createPublicKey, type KeyObject } from "node:crypto";
import { CompactSign } from "jose";

export const SERVICE = "registry.test";
export const ISSUER = "issuer.test";

export interface TokenAccess {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

/** Claims of a token for the tests' service that counts now; those given replace or, undefined, take away. */
export function claimsOf(access: readonly TokenAccess[], more: Readonly<Record<string, unknown>> = {}): object {
  const now = Math.floor(Date.now() / 1000);
  return {
    iss: ISSUER,
    aud: SERVICE,
    sub: "alice",
    exp: now + 300,
    nbf: now - 10,
    iat: now,
    jti: "1",
    access,
    ...more,
  };
}

export interface SignedWith {
  readonly key: KeyObject;
  readonly alg?: string;
}

/** @param header beside `alg` and `typ` */
export async function sign(
  claims: object | string,
  { key, alg = "ES256" }: SignedWith,
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const payload = typeof claims === "string" ? claims : JSON.stringify(claims);
  return await new CompactSign(Buffer.from(payload)).setProtectedHeader({ alg, typ: "JWT", ...header }).sign(key);
}

/** What nobody would sign: the parts as they are given. */
export function unsigned(header: object, claims: object, signature = ""): string {
  const encoded = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"));
  return [...encoded, signature].join(".");
}

export function publicJwk(key: KeyObject, more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return { ...(key.type === "public" ? key : createPublicKey(key)).export({ format: "jwk" }), ...more };
}

export function repository(name: string, ...actions: readonly string[]): TokenAccess {
  return { type: "repository", name, actions };
}
