import { writeFile } from "node:fs/promises";
import { keyIdOf } from "../../src/oci/schema1/key-id.ts";
import { AUTHORITY, issue } from "../../test/support/certificates.ts";
import { run } from "../../test/support/run.ts";
import type { TemporaryFolder } from "../../test/support/temporary-folder.ts";
import { claimsOf, ISSUER, repository, SERVICE, sign } from "../../test/support/tokens.ts";

/** Who is let in, and by what. */
export type Access = "open" | "htpasswd" | "token";

/** What lets the load in, and the sections `auth` of the configurations that ask for it. */
export interface Credentials {
  readonly sections: Readonly<Record<Access, object | undefined>>;
  /** Values of `Authorization`. */
  readonly headers: Readonly<Record<Access, string | undefined>>;
}

const [USER, PASSWORD] = ["alice", "of the benchmark"] as const;
/** Seconds for which the token is good: longer than any run. */
const LIFE = 86_400;

/** @param name of the repository that is read */
export async function makeCredentials(folder: TemporaryFolder, name: string): Promise<Credentials> {
  const passwords = folder.join("htpasswd");
  await writeFile(passwords, await run("htpasswd", ["-Bbn", USER, PASSWORD]));
  const authority = await issue(folder, "authority", { extensions: [AUTHORITY] });
  const exp = Math.floor(Date.now() / 1000) + LIFE;
  const kid = keyIdOf(authority.certificate.publicKey);
  const token = await sign(claimsOf([repository(name, "pull")], { exp }), { key: authority.key }, { kid });
  const realm = "http://127.0.0.1/token";
  return {
    sections: {
      open: undefined,
      htpasswd: { htpasswd: { realm: "bench", path: passwords } },
      token: { token: { realm, service: SERVICE, issuer: ISSUER, rootcertbundle: authority.certificatePath } },
    },
    headers: {
      open: undefined,
      htpasswd: `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString("base64")}`,
      token: `Bearer ${token}`,
    },
  };
}
