import { errors, FlattenedSign, flattenedVerify } from "jose";
import { ManifestUnverified } from "../errors.ts";
import { encodeBase64url } from "./base64.ts";
import { type JwsSignature, parseSignature } from "./jws-signature.ts";
import { formatOf, protectedHeader } from "./payload-format.ts";
import type { SigningKey } from "./signing-key.ts";

/**
 * @param now goes into the protected header, in whole seconds
 * @throws {ManifestInvalid} where the payload is no JSON object with a member, by its end
 * @see manifests, section 5.2
 */
export async function signPayload(payload: Uint8Array, key: SigningKey, now: Date): Promise<JwsSignature> {
  const { jwk, algorithms } = key.publicKey;
  const [alg] = algorithms;
  const jws = await new FlattenedSign(payload)
    .setProtectedHeader(protectedHeader(formatOf(payload), now))
    .setUnprotectedHeader({ alg })
    .sign(key.privateKey);
  return parseSignature({ header: { jwk, alg }, signature: jws.signature, protected: jws.protected }, "our signature");
}

/**
 * Every one of them must hold. One after the other: each takes memory of the payload's size.
 * @throws {ManifestUnverified}
 */
export async function verifySignatures(payload: Uint8Array, signatures: readonly JwsSignature[]): Promise<void> {
  const encoded = encodeBase64url(payload);
  for (const [index, signature] of signatures.entries()) await verify(encoded, signature, index);
}

async function verify(payload: string, { header, key, ...jws }: JwsSignature, index: number): Promise<void> {
  const { alg } = header;
  try {
    const signed = { payload, protected: jws.protected, signature: jws.signature, header: { alg } };
    await flattenedVerify(signed, key.key, { algorithms: [alg] });
  } catch (cause) {
    if (!(cause instanceof errors.JOSEError)) throw cause;
    throw new ManifestUnverified(`signature ${index} of key ${key.id} does not hold`, { cause });
  }
}
