import { compactVerify, decodeProtectedHeader } from "jose";
import { isJsonObject } from "../../oci/json-fields.ts";
import { algorithmsOf } from "./algorithms.ts";
import { verifyChain } from "./certificate-chain.ts";
import { type ClaimRules, type Claims, parseClaims } from "./claims.ts";
import { thumbprintOf } from "./key-ids.ts";
import { KeyUnknown, TokenInvalid } from "./token-invalid.ts";
import type { TrustedKey, TrustedKeys } from "./trusted-keys.ts";

export interface TokenRules extends ClaimRules {
  /** What tokens may be signed with. */
  readonly algorithms: ReadonlySet<string>;
}

type Header = Readonly<Record<string, unknown>>;

/** A key with the time until which somebody vouches for it. */
interface Signer extends TrustedKey {
  readonly until?: number;
}

/** Characters. */
const LONGEST_TOKEN = 64 * 1024;

/**
 * @param token a JWS in compact form
 * @param now ms since 1970
 * @throws {TokenInvalid}
 * @see auth, section 5, "Token format"
 */
export async function verifyToken(token: string, keys: TrustedKeys, rules: TokenRules, now: number): Promise<Claims> {
  const header = parseHeader(token);
  const { alg } = header;
  if (typeof alg !== "string" || !rules.algorithms.has(alg)) {
    throw new TokenInvalid("the token is signed with an algorithm that is not accepted");
  }
  const signer = signerOf(header, keys, now);
  if (!signer.algorithms.includes(alg)) throw new TokenInvalid("the token is signed with an algorithm of other keys");
  const claims = parseClaims(await verified(token, signer, alg), rules, now);
  return { ...claims, until: Math.min(claims.until, signer.until ?? claims.until) };
}

function parseHeader(token: string): Header {
  if (token.length > LONGEST_TOKEN) throw new TokenInvalid(`a token may have ${LONGEST_TOKEN} characters, not more`);
  try {
    return decodeProtectedHeader(token) as Header;
  } catch (cause) {
    throw new TokenInvalid("the token is no JWS in compact form", { cause });
  }
}

/** What a token brings with it decides alone, however wrong it is. */
function signerOf(header: Header, keys: TrustedKeys, now: number): Signer {
  const { x5c, jwk, kid } = header;
  if (x5c !== undefined) return vouchedFor(x5c, keys, now);
  if (jwk !== undefined) return ofKey(jwk, keys, now);
  return known(typeof kid === "string" ? kid : "", keys);
}

function vouchedFor(x5c: unknown, { roots }: TrustedKeys, now: number): Signer {
  try {
    const { certificate, until } = verifyChain(x5c, roots, now);
    const { publicKey: key } = certificate;
    return {
      key,
      algorithms: algorithmsOf(key),
      thumbprint: thumbprintOf({ ...key.export({ format: "jwk" }) }),
      until,
    };
  } catch (cause) {
    throw cause instanceof TokenInvalid ? cause : new TokenInvalid("x5c has what is no certificate", { cause });
  }
}

/** A key in a token only says which trusted one it is: it has to be the same. */
function ofKey(jwk: unknown, keys: TrustedKeys, now: number): Signer {
  const thumbprint = isJsonObject(jwk) ? thumbprintOf(jwk) : undefined;
  if (!isJsonObject(jwk) || thumbprint === undefined) throw new TokenInvalid("jwk of the token is no public key");
  const { x5c, kid } = jwk;
  const signer =
    x5c === undefined ? known(typeof kid === "string" ? kid : thumbprint, keys) : vouchedFor(x5c, keys, now);
  if (signer.thumbprint === thumbprint) return signer;
  throw new TokenInvalid("jwk of the token is another key than the trusted one");
}

function known(id: string, { byId }: TrustedKeys): TrustedKey {
  const key = byId.get(id);
  if (!key) throw new KeyUnknown("the token is signed by a key that is not trusted");
  return key;
}

async function verified(token: string, { key }: Signer, alg: string): Promise<Uint8Array> {
  try {
    const { payload } = await compactVerify(token, key, { algorithms: [alg] });
    return payload;
  } catch (cause) {
    throw new TokenInvalid("the signature of the token does not hold", { cause });
  }
}
