import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { bcrypt } from "hash-wasm";
import { AUTHORITY, issue, x5cOf } from "../support/certificates.ts";
import { freePort } from "../support/free-port.ts";
import { type Configuration, type RegistryProcess, startRegistry } from "../support/registry-process.ts";
import type { TemporaryFolder } from "../support/temporary-folder.ts";
import { startTokenServer } from "../support/token-server.ts";
import { ISSUER, SERVICE } from "../support/tokens.ts";
import { COLLECTING } from "./soak-figures.ts";
import type { Credentials } from "./soak-lane.ts";

const PASSWORD = "of the soak";

export interface Login extends AsyncDisposable {
  readonly auth: Configuration;
  readonly credentials: Credentials;
}

export async function passwords(folder: TemporaryFolder): Promise<Login> {
  const hash = await bcrypt({ password: PASSWORD, salt: randomBytes(16), costFactor: 5, outputType: "encoded" });
  await writeFile(folder.join("htpasswd"), `alice:${hash}\n`);
  return {
    auth: { htpasswd: { realm: "the registry", path: folder.join("htpasswd") } },
    credentials: async () => `Basic ${btoa(`alice:${PASSWORD}`)}`,
    async [Symbol.asyncDispose]() {},
  };
}

/** Each login is a token of its own. */
export async function tokens(folder: TemporaryFolder): Promise<Login> {
  const root = await issue(folder, "root", { extensions: [AUTHORITY] });
  const signer = await issue(folder, "leaf", { issuer: root });
  const server = await startTokenServer({
    ...{ signer, header: { x5c: x5cOf(signer) }, passwords: { alice: PASSWORD } },
    allowed: (user, { actions }) => (user === "alice" ? actions : []),
  });
  return {
    auth: {
      token: { realm: server.realm, service: SERVICE, issuer: ISSUER, rootcertbundle: root.certificatePath },
    },
    credentials: (repositories) => ask(server.realm, repositories),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function ask(realm: string, repositories: readonly string[]): Promise<string> {
  const url = new URL(realm);
  url.searchParams.set("service", SERVICE);
  for (const name of repositories) url.searchParams.append("scope", `repository:${name}:pull,push,delete`);
  url.searchParams.append("scope", "registry:catalog:*");
  const answer = await fetch(url, { headers: { Authorization: `Basic ${btoa(`alice:${PASSWORD}`)}` } });
  return `Bearer ${((await answer.json()) as { token: string }).token}`;
}

export interface SoakRegistry extends AsyncDisposable {
  readonly process: RegistryProcess;
  /** URL. */
  readonly metrics: string;
  readonly auditFile: string;
}

/** With everything that watches switched on, and a cache that a warm-up fills. */
export async function startSoaked(
  folder: TemporaryFolder,
  auth: Configuration,
  endpoints: readonly Configuration[],
): Promise<SoakRegistry> {
  const debugPort = await freePort();
  const auditFile = folder.join("audit.jsonl");
  const process = await startRegistry("wharfinger", {
    rootDirectory: folder.join("data"),
    env: { NODE_OPTIONS: COLLECTING },
    configuration: {
      auth,
      log: { formatter: "json", accesslog: { disabled: false } },
      storage: { cache: { blobdescriptor: "inmemory", blobdescriptorsize: 300 } },
      http: { debug: { addr: `127.0.0.1:${debugPort}`, prometheus: { enabled: true } }, draintimeout: "20s" },
      health: { storagedriver: { enabled: true, interval: "1s" } },
      notifications: { endpoints },
      wharfinger: { audit: { file: auditFile }, timeouts: { idle: "3s" } }, // for connections that end with a round
    },
  });
  return {
    ...{ process, auditFile, metrics: `http://127.0.0.1:${debugPort}/metrics` },
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}
