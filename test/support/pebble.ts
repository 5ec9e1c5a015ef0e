import { existsSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Authority } from "./authority.ts";
import { freePort } from "./free-port.ts";
import { run, tryRun } from "./run.ts";
import { ServerProcess } from "./server-process.ts";
import type { TemporaryFolder } from "./temporary-folder.ts";

const VERSION = "v2.8.0";
/** Outside the repository, for all runs on this machine. */
const FOLDER = join(tmpdir(), `wharfinger-pebble-${VERSION}`);
const PROGRAMS = ["pebble", "pebble-challtestsrv"] as const;

/** Let's Encrypt's small authority for tests, and names that all lead to this machine. */
export interface Pebble extends AsyncDisposable {
  readonly directory: string;
  /** Of the certificate that its API shows, for `NODE_EXTRA_CA_CERTS`. */
  readonly authority: string;
  /** Everything it said. */
  readonly log: string;
}

/** Builds it from the Go module proxy, once. Answers why it could not. */
export async function installPebble(): Promise<string | undefined> {
  if (PROGRAMS.every((name) => existsSync(join(FOLDER, name)))) return undefined;
  if ((await tryRun("go", ["version"]).catch(() => undefined))?.exitCode !== 0) return "Go is not installed";
  const building = join(FOLDER, `building-${process.pid}`);
  await mkdir(building, { recursive: true });
  for (const name of PROGRAMS) {
    await run("go", ["install", `github.com/letsencrypt/pebble/v2/cmd/${name}@${VERSION}`], {
      env: { GOBIN: building },
    });
    await rename(join(building, name), join(FOLDER, name));
  }
  return undefined;
}

/** For a suite's `skip` option. */
export function unlessPebble(): string | false {
  return !existsSync(join(FOLDER, "pebble")) && "pebble is not installed: npm run test:backends does that";
}

/**
 * @param tlsPort where the registry is that is asked whether names are its own
 * @param validity of certificates. s
 */
export async function startPebble(folder: TemporaryFolder, tlsPort: number, validity = 7_776_000): Promise<Pebble> {
  await using stack = new AsyncDisposableStack();
  const [port, management, dns, control] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const authority = await Authority.make(folder, "pebble-ca");
  const { certPath, keyPath } = await authority.sign("pebble");
  const pebble = {
    listenAddress: `127.0.0.1:${port}`,
    managementListenAddress: `127.0.0.1:${management}`,
    certificate: certPath,
    privateKey: keyPath,
    httpPort: 1,
    tlsPort,
    ocspResponderURL: "",
    profiles: { default: { description: "short", validityPeriod: validity } },
  };
  await writeFile(folder.join("pebble.json"), JSON.stringify({ pebble }));
  const none = ["-http01", "", "-https01", "", "-tlsalpn01", "", "-doh", ""];
  const names = ["-dns01", `127.0.0.1:${dns}`, "-defaultIPv4", "127.0.0.1", "-defaultIPv6", ""];
  const manage = ["-management", `127.0.0.1:${control}`];
  stack.use(new ServerProcess(join(FOLDER, "pebble-challtestsrv"), [...none, ...names, ...manage]));
  const args = ["-config", folder.join("pebble.json"), "-dnsserver", `127.0.0.1:${dns}`];
  const env = { PEBBLE_VA_NOSLEEP: "1", PEBBLE_WFE_NONCEREJECT: "0" };
  const server = stack.use(new ServerProcess(join(FOLDER, "pebble"), args, env));
  await server.says(/ACME directory available at/);
  const owned = stack.move();
  return {
    directory: `https://127.0.0.1:${port}/dir`,
    authority: authority.path,
    get log() {
      return server.log;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
