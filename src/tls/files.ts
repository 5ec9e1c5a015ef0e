/** Certificates, keys and client CAs, as the configuration names their files. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import { ConfigError } from "../config/config-error.ts";
import type { TlsConfig } from "../config/tls-config.ts";

/** Bytes: more than any chain or bundle has. */
const LIMIT = 16 * 1024 * 1024;

/** PEM. */
interface Pair {
  readonly cert: string;
  readonly key: string;
}

/**
 * The certificate with its chain, and the key, which must belong to it.
 * @throws {ConfigError} which never quotes a file
 */
export function readPair({ certificate = "", key = "" }: TlsConfig): Pair {
  const pair = { cert: read("http.tls.certificate", certificate), key: read("http.tls.key", key) };
  try {
    const belongs = new X509Certificate(pair.cert).checkPrivateKey(createPrivateKey(pair.key));
    if (!belongs) throw new Error("the key is another certificate's");
    createSecureContext(pair);
    return pair;
  } catch (cause) {
    throw new ConfigError("http.tls", `${certificate} and ${key} are no pair: ${reason(cause)}`, { cause });
  }
}

/** @throws {ConfigError} */
export function readClientCas({ clientcas }: TlsConfig): SecureContextOptions {
  return clientcas.length === 0 ? {} : { ca: clientcas.map(readCas) };
}

const PEM = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** One certificate at least, and all of them sound. */
function readCas(path: string): string {
  const certificates = read("http.tls.clientcas", path).match(PEM) ?? [];
  try {
    if (certificates.length === 0) throw new Error("it has no certificate in PEM");
    for (const pem of certificates) new X509Certificate(pem);
    return certificates.join("\n");
  } catch (cause) {
    throw new ConfigError("http.tls.clientcas", `could not add CA to pool: ${path}: ${reason(cause)}`, { cause });
  }
}

function read(name: string, path: string): string {
  try {
    const info = statSync(path);
    if (!info.isDirectory() && info.size > LIMIT) throw new Error(`${path} has more than ${LIMIT} bytes`);
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new ConfigError(name, `cannot be read: ${reason(cause)}`, { cause });
  }
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** Changes whenever one of the files does; what cannot be looked at counts as empty. */
export function stampOf({ certificate, key, clientcas }: TlsConfig): string {
  const paths = [certificate, key, ...clientcas].filter((path) => path !== undefined);
  return paths.map((path) => fileStamp(path)).join(" ");
}

function fileStamp(path: string): string {
  try {
    const { ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    return `${ino}:${size}:${mtimeNs}:${ctimeNs}`;
  } catch {
    return "none";
  }
}
