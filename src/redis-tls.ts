/** The files of `redis.tls`. */
import { readFileSync } from "node:fs";
import type { TlsFiles } from "./cache/redis-options.ts";
import { ConfigError } from "./config/config-error.ts";
import type { RedisConfig } from "./config/redis-config.ts";

/**
 * @returns undefined where no encryption is asked for
 * @throws {ConfigError} which never quotes a file
 */
export function readRedisTls({ certificate, key, rootcas }: RedisConfig["tls"]): TlsFiles | undefined {
  const ca = rootcas.map((path) => read("redis.tls.rootcas", path));
  if (!certificate || !key) return ca.length > 0 ? { ca } : undefined;
  return { ca, cert: read("redis.tls.certificate", certificate), key: read("redis.tls.key", key) };
}

function read(name: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new ConfigError(name, `cannot be read: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}
