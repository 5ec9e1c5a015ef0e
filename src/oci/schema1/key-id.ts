import { hash, type KeyObject } from "node:crypto";

/** `ABCD:EFGH:…`, twelve groups of four. */
export type KeyId = string & { readonly __brand: "KeyId" };

/** Bytes of the hash that are told. */
const TOLD = 30;

const CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const DIGITS = "0123456789abcdefghijklmnopqrstuv";

/**
 * The fingerprint of a public key: the first 30 bytes of the SHA-256 of its SubjectPublicKeyInfo, in base32.
 * @see manifests, section 6, "libtrust keys"
 */
export function keyIdOf(publicKey: KeyObject): KeyId {
  const sum = hash("sha256", publicKey.export({ format: "der", type: "spki" }), "buffer");
  return (base32(sum.subarray(0, TOLD)).match(/.{4}/g) ?? []).join(":") as KeyId;
}

/** @param bytes a multiple of five of them, so that no padding is needed */
function base32(bytes: Buffer): string {
  const digits = BigInt(`0x${bytes.toString("hex")}`).toString(32);
  return [...digits.padStart((bytes.length / 5) * 8, "0")].map((digit) => CHARACTERS[DIGITS.indexOf(digit)]).join("");
}
