/**
 * What Let's Encrypt gave, in a directory as the peers keep it: `acme_account+key`, and a file for each name with the
 * private key first and the chain of certificates behind it, all in PEM.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface Issued {
  /** PEM. */
  readonly key: string;
  /** PEM, the server's first. */
  readonly cert: string;
  /** From when and until when it is valid. ms since 1970 */
  readonly start: number;
  readonly end: number;
}

const ACCOUNT = "acme_account+key";

export class AcmeCache {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  /** @returns undefined where there is none, or none that can be used */
  get(host: string): Issued | undefined {
    const text = this.#read(host);
    return text === undefined ? undefined : parseIssued(text, host);
  }

  put(host: string, { key, cert }: Pick<Issued, "key" | "cert">): void {
    this.#write(host, `${key.trim()}\n${cert.trim()}\n`);
  }

  /**
   * The key of our account; made and kept where there is none.
   * @param make in PEM
   * @throws {Error} for a file that holds none, which is left as it is
   */
  accountKey(make: () => string): KeyObject {
    const kept = this.#read(ACCOUNT);
    const text = kept ?? make();
    if (kept === undefined) this.#write(ACCOUNT, text);
    try {
      return createPrivateKey(text);
    } catch (cause) {
      const path = join(this.#folder, ACCOUNT);
      throw new Error(`${path} holds no private key; restore it, or remove it for another account`, { cause });
    }
  }

  #read(name: string): string | undefined {
    try {
      return readFileSync(join(this.#folder, name), "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  /** Whole or not at all, and for nobody else to read. */
  #write(name: string, text: string): void {
    const path = join(this.#folder, name);
    const next = `${path}.${process.pid}.tmp`;
    writeFileSync(next, text, { mode: 0o600, flush: true });
    chmodSync(next, 0o600);
    renameSync(next, path);
  }
}

const KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*-----END [A-Z ]*PRIVATE KEY-----/;
const CHAIN = /-----BEGIN CERTIFICATE-----[\s\S]*-----END CERTIFICATE-----/;

/** @returns undefined where it is not a certificate for `host` with its key */
export function parseIssued(text: string, host: string): Issued | undefined {
  try {
    const [key = ""] = KEY.exec(text) ?? [];
    const [cert = ""] = CHAIN.exec(text) ?? [];
    const leaf = new X509Certificate(cert);
    const fits = leaf.checkHost(host) !== undefined && leaf.checkPrivateKey(createPrivateKey(key));
    return fits ? { key, cert, start: leaf.validFromDate.getTime(), end: leaf.validToDate.getTime() } : undefined;
  } catch {
    return undefined;
  }
}
