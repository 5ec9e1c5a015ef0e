import { createPrivateKey, type KeyObject } from "node:crypto";
import type { JsonObject } from "../json-fields.ts";
import { decodeBase64 } from "./base64.ts";
import { KeyInvalid } from "./jwk-members.ts";

/** Kinds of private keys in PEM, with Node's names for what is in them. */
const KINDS = { "EC PRIVATE KEY": "sec1", "RSA PRIVATE KEY": "pkcs1", "PRIVATE KEY": "pkcs8" } as const;

type Kind = keyof typeof KINDS;

const ENCRYPTED = "the signing key is encrypted: expected one that is not";

/**
 * The first private key of a file, whatever stands before it, such as `EC PARAMETERS`. Lines `name: value` above the key
 * are further members of it, as for libtrust: `hosts` is a list with commas.
 * @throws {KeyInvalid}
 * @see manifests, section 6; RFC 1421, section 4.6, for the headers
 */
export function parsePemKey(text: string): { readonly privateKey: KeyObject; readonly stated: JsonObject } {
  const { kind, lines } = firstBlock(text.split(/\r?\n/).map((line) => line.trimEnd()));
  const stated = Object.fromEntries(lines.filter(isHeader).map(toMember));
  if (Object.hasOwn(stated, "DEK-Info")) throw new KeyInvalid(ENCRYPTED);
  return { privateKey: readKey(kind, lines.filter((line) => !isHeader(line)).join("")), stated };
}

function firstBlock(lines: readonly string[]): { readonly kind: Kind; readonly lines: readonly string[] } {
  const kinds = Object.keys(KINDS) as Kind[];
  for (const [first, line] of lines.entries()) {
    const kind = kinds.find((one) => line === `-----BEGIN ${one}-----`);
    const last = lines.indexOf(`-----END ${kind}-----`, first);
    if (kind !== undefined && last >= 0) return { kind, lines: lines.slice(first + 1, last) };
  }
  if (lines.includes("-----BEGIN ENCRYPTED PRIVATE KEY-----")) throw new KeyInvalid(ENCRYPTED);
  throw new KeyInvalid(`the signing key must be a JWK, or PEM with one of: ${kinds.join(", ")}`);
}

/** Base64 has no colon. */
function isHeader(line: string): boolean {
  return line.includes(":");
}

function toMember(line: string): readonly [string, string | readonly string[]] {
  const colon = line.indexOf(":");
  const [name, value] = [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
  return [name, name === "hosts" ? value.split(",") : value];
}

function readKey(kind: Kind, base64: string): KeyObject {
  const bytes = decodeBase64(base64) ?? new Uint8Array();
  try {
    return createPrivateKey({ key: Buffer.from(bytes), format: "der", type: KINDS[kind] });
  } catch {
    throw new KeyInvalid(`the signing key is no readable ${kind}`);
  }
}
