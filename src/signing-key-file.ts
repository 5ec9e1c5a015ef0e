/** The key of `compatibility.schema1.signingkeyfile`. */
import { readFileSync } from "node:fs";
import { ConfigError } from "./config/config-error.ts";
import { KeyInvalid } from "./oci/schema1/jwk-members.ts";
import { parseSigningKey, type SigningKey } from "./oci/schema1/signing-key.ts";

const KEY = "compatibility.schema1.signingkeyfile";

/** @throws {ConfigError} which never quotes the file */
export function readSigningKey(path: string): SigningKey {
  try {
    return parseSigningKey(readFileSync(path, "utf8"));
  } catch (cause) {
    if (cause instanceof KeyInvalid) throw new ConfigError(KEY, `${path}: ${cause.message}`, { cause });
    throw new ConfigError(KEY, `cannot be read: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}
