import { readFile } from "node:fs/promises";
import { run } from "./run.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** PEM. */
export interface SelfSigned {
  readonly key: string;
  readonly cert: string;
}

/** A certificate that nobody trusts, made by openssl. @param names as in a certificate: `DNS:localhost`, `IP:127.0.0.1` */
export async function selfSigned(names: readonly string[] = ["DNS:localhost", "IP:127.0.0.1"]): Promise<SelfSigned> {
  await using folder = await temporaryFolder("certificate");
  const [key, cert] = [folder.join("key.pem"), folder.join("cert.pem")];
  const subject = ["-subj", "/CN=localhost", "-addext", `subjectAltName=${names.join()}`];
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  await run("openssl", ["req", "-x509", ...kind, ...subject, "-keyout", key, "-out", cert]);
  return { key: await readFile(key, "utf8"), cert: await readFile(cert, "utf8") };
}
