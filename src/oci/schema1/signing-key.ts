import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from "node:crypto";
import { isJsonObject, type JsonObject } from "../json-fields.ts";
import { KeyInvalid, privateMembers, publicMembers } from "./jwk-members.ts";
import { parsePemKey } from "./pem-key.ts";
import { type PublicKey, toPublicKey } from "./public-key.ts";

/** What the registry signs schema 1 manifests with. */
export interface SigningKey {
  readonly publicKey: PublicKey;
  readonly privateKey: KeyObject;
}

/** A private key with what its file says of it beside. */
export interface KeyFile {
  readonly privateKey: KeyObject;
  readonly stated: JsonObject;
}

/** A key on P-256 that nobody has had before, for a registry that was given none. */
export function makeSigningKey(): SigningKey {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { publicKey: toPublicKey(publicKey), privateKey };
}

/**
 * The content of a `signingkeyfile`: a private JWK, or PEM. What it is shows in its first character, not in a file's name.
 * @throws {KeyInvalid} saying why it is no key to sign with
 * @see manifests, section 6, "libtrust keys"
 */
export function parseSigningKey(text: string): SigningKey {
  const { privateKey, stated } = text.trimStart().startsWith("{") ? parseJwkFile(text) : parsePemKey(text);
  const key = { privateKey, publicKey: toPublicKey(createPublicKey(privateKey), stated) };
  if (isPair(key)) return key;
  throw new KeyInvalid("the private and the public half of the signing key do not belong together");
}

function parseJwkFile(text: string): KeyFile {
  const stated = readObject(text);
  const members = { ...publicMembers(stated), ...privateMembers(stated) };
  try {
    return { privateKey: createPrivateKey({ key: members, format: "jwk" }), stated };
  } catch {
    throw new KeyInvalid("the members of the signing key make no key");
  }
}

function readObject(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    if (isJsonObject(value)) return value;
  } catch {
    // The parser's own sentence would quote the key.
  }
  throw new KeyInvalid("the signing key must be a JSON object");
}

/** OpenSSL takes both halves of a JWK as they are stated. */
function isPair({ privateKey, publicKey }: SigningKey): boolean {
  const message = Buffer.from("of one pair");
  try {
    return verify("sha256", message, publicKey.key, sign("sha256", message, privateKey));
  } catch {
    return false;
  }
}
