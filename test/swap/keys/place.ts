import { writeFile } from "node:fs/promises";
import { bcrypt } from "hash-wasm";
import { keyIdOf } from "../../../src/oci/schema1/key-id.ts";
import { AUTHORITY, issue } from "../../support/certificates.ts";
import { ecSigner, fingerprintOf } from "../../support/schema1-fixture.ts";
import type { TemporaryFolder } from "../../support/temporary-folder.ts";
import { claimsOf, sign } from "../../support/tokens.ts";
import type { Outside } from "./outside.ts";

/** What values depend on. */
export interface Place {
  readonly folder: string;
  readonly port: number;
  /** Of a server with the password `open`. */
  readonly redis: string;
  /** The key in it, by its fingerprint. */
  readonly signer: { readonly path: string; readonly fingerprint: string };
  /** A free port. */
  readonly debug: number;
  readonly outside: Pick<Outside, "url" | "tcp" | "closed" | "smtp">;
  /** Paths of the registry's certificate and of the key to it. */
  readonly server: { readonly certificate: string; readonly key: string };
  /** Of that certificate. */
  readonly fingerprint: string;
  /** Of a client whose authority is in `clientCa`, a path. */
  readonly client: ClientCertificate;
  readonly clientCa: string;
  /** The path of a file of htpasswd with alice, whose password is `secret`. */
  readonly users: string;
  /** The path of certificates, one of which signed the token for `registry.test` by `issuer.test`. */
  readonly bundle: string;
  readonly token: string;
}

/** In PEM. */
export interface ClientCertificate {
  readonly cert: string;
  readonly key: string;
}

/** For what depends on no value. */
export const NOWHERE: Place = {
  ...{ folder: "", port: 0, debug: 0, redis: "", users: "", bundle: "", token: "", clientCa: "", fingerprint: "" },
  signer: { path: "", fingerprint: "" },
  outside: { url: "", tcp: "", closed: "", smtp: "" },
  server: { certificate: "", key: "" },
  client: { cert: "", key: "" },
};

type Files = Pick<Place, "signer" | "server" | "fingerprint" | "client" | "clientCa" | "users" | "bundle" | "token">;

export async function writeFiles(folder: TemporaryFolder): Promise<Files> {
  const { publicKey, privateKey } = ecSigner();
  await writeFile(folder.join("key.json"), JSON.stringify(privateKey.export({ format: "jwk" })));
  const salt = Buffer.alloc(16, "a");
  const hash = await bcrypt({ password: "secret", salt, costFactor: 5, outputType: "encoded" });
  await writeFile(folder.join("users"), `alice:${hash}\n`);
  const root = await issue(folder, "root", { extensions: [AUTHORITY] });
  const [server, client] = [
    await issue(folder, "127.0.0.1", { issuer: root }),
    await issue(folder, "client", { issuer: root }),
  ];
  const header = { kid: keyIdOf(root.certificate.publicKey) };
  return {
    signer: { path: folder.join("key.json"), fingerprint: fingerprintOf(publicKey) },
    server: { certificate: server.certificatePath, key: server.keyPath },
    fingerprint: server.certificate.fingerprint256,
    client: { cert: client.pem, key: client.key.export({ type: "pkcs8", format: "pem" }).toString() },
    clientCa: root.certificatePath,
    users: folder.join("users"),
    bundle: root.certificatePath,
    token: await sign(claimsOf([]), root, header),
  };
}
