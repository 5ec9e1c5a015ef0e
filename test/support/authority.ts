import { readFile } from "node:fs/promises";
import { run } from "./run.ts";
import type { SelfSigned } from "./self-signed.ts";
import type { TemporaryFolder } from "./temporary-folder.ts";

/** Signs certificates of the tests, by openssl, into a folder. */
export class Authority {
  readonly #folder: TemporaryFolder;
  readonly #name: string;

  private constructor(folder: TemporaryFolder, name: string) {
    this.#folder = folder;
    this.#name = name;
  }

  static async make(folder: TemporaryFolder, name: string): Promise<Authority> {
    const authority = new Authority(folder, name);
    const out = ["-keyout", authority.#path("key"), "-out", authority.path];
    const own = ["-addext", "basicConstraints=critical,CA:TRUE"];
    await run("openssl", ["req", "-x509", ...KEY, "-days", "2", "-subj", `/CN=${name}`, ...own, ...out]);
    return authority;
  }

  /** Of its own certificate, in PEM. */
  get path(): string {
    return this.#path("pem");
  }

  /** A certificate for `localhost` and 127.0.0.1, as a server's or a client's; its files are `<name>.pem` and `<name>.key`. */
  async sign(name: string): Promise<SelfSigned & { readonly certPath: string; readonly keyPath: string }> {
    const [keyPath, certPath] = [this.#folder.join(`${name}.key`), this.#folder.join(`${name}.pem`)];
    const subject = ["-subj", `/CN=${name}`, "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
    const by = ["-CA", this.path, "-CAkey", this.#path("key"), "-addext", "basicConstraints=CA:FALSE"];
    await run("openssl", [
      "req",
      "-x509",
      ...KEY,
      "-days",
      "2",
      ...subject,
      ...by,
      "-keyout",
      keyPath,
      "-out",
      certPath,
    ]);
    return { certPath, keyPath, cert: await readFile(certPath, "utf8"), key: await readFile(keyPath, "utf8") };
  }

  #path(extension: string): string {
    return this.#folder.join(`${this.#name}.${extension}`);
  }
}

const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
