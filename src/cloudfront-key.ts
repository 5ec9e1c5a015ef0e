/** The private key of the storage middleware `cloudfront`. */
import { createPrivateKey, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { ConfigError } from "./config/config-error.ts";

/**
 * @param where the key of the configuration that names the file
 * @throws {ConfigError} which never quotes the file
 */
export function readCloudfrontKey(path: string, where: string): KeyObject {
  const key = parse(read(path, where));
  if (key?.asymmetricKeyType === "rsa") return key;
  throw new ConfigError(where, `${path}: expected an RSA private key in PEM, without a password`);
}

/** What is a key rather than a path. */
const KEY = /PRIVATE KEY|[\r\n]/;

function read(path: string, where: string): string {
  if (KEY.test(path))
    throw new ConfigError(where, "expected the path of a file with an RSA private key in PEM, not the key itself");
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new ConfigError(where, `cannot be read: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

function parse(text: string): KeyObject | undefined {
  try {
    return createPrivateKey(text);
  } catch {
    return undefined;
  }
}
