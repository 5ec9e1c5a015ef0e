import { createPrivateKey, type KeyObject, randomUUID, X509Certificate } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { run } from "./run.ts";
import type { TemporaryFolder } from "./temporary-folder.ts";

export interface Issued {
  readonly name: string;
  /** Files in PEM. */
  readonly certificatePath: string;
  readonly keyPath: string;
  readonly pem: string;
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
}

export interface IssueOptions {
  /** Itself where not given. */
  readonly issuer?: Issued;
  /** As OpenSSL's configuration writes them. */
  readonly extensions?: readonly string[];
  readonly days?: number;
  readonly newKey?: readonly string[];
  readonly hash?: string;
}

export const AUTHORITY = "basicConstraints=critical,CA:TRUE";
export const P256 = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"] as const;

/** A key with a certificate that OpenSSL made. */
export async function issue(folder: TemporaryFolder, name: string, options: IssueOptions = {}): Promise<Issued> {
  const { issuer, extensions = [], days = 10, newKey = P256, hash = "sha256" } = options;
  const [certificatePath, keyPath] = [folder.join(`${randomUUID()}.pem`), folder.join(`${randomUUID()}.key`)];
  const config = folder.join(`${randomUUID()}.cnf`);
  await writeFile(config, "[req]\ndistinguished_name = dn\n[dn]\n");
  await run("openssl", [
    ...["req", "-x509", "-config", config, "-subj", `/CN=${name}`, "-days", String(days), `-${hash}`],
    ...["-newkey", ...newKey, "-nodes", "-keyout", keyPath, "-out", certificatePath],
    ...(issuer ? ["-CA", issuer.certificatePath, "-CAkey", issuer.keyPath] : []),
    ...extensions.flatMap((extension) => ["-addext", extension]),
  ]);
  const pem = await readFile(certificatePath, "utf8");
  const key = createPrivateKey(await readFile(keyPath));
  return { name, certificatePath, keyPath, pem, key, certificate: new X509Certificate(pem) };
}

/** As a token carries them. */
export function x5cOf(...chain: readonly Issued[]): string[] {
  return chain.map(({ certificate }) => certificate.raw.toString("base64"));
}
