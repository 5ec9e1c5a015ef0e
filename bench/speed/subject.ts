import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { freePort } from "../../test/support/free-port.ts";
import type { Access, Credentials } from "./credentials.ts";
import { type PinnedServer, startPinned } from "./pinned.ts";

/** What is measured: a program that is started here, or a registry that runs somewhere. */
export interface Subject {
  readonly name: string;
  /** Not set: it runs somewhere, and nothing is known of it but its URL. */
  readonly program?: { readonly command: readonly [string, ...string[]]; readonly folder: string };
  readonly url?: string;
  /** `false`: from sources, which the first start compiles and keeps. */
  readonly isCompiled?: boolean;
}

const MAIN = "src/main.ts";
const HERE = fileURLToPath(new URL("../..", import.meta.url));

/** @param tree of sources; by default this one */
export function ours(name: string, folder: string, tree: string = HERE): Subject {
  return { name, program: { command: [process.execPath, join(tree, MAIN)], folder }, isCompiled: false };
}

export function debian(folder: string): Subject {
  return { name: "docker-registry", program: { command: ["docker-registry"], folder } };
}

/** How a program is started beside what every run has. */
export interface Starting {
  readonly access?: Access;
  /** A folder for compiled code; empty: a cold start. */
  readonly compileCache?: string;
  /** With lines for every request, as by default. */
  readonly logs?: boolean;
}

export async function open(
  { name, program, url }: Subject,
  credentials: { readonly sections: Partial<Credentials["sections"]> },
  { access = "open", compileCache, logs = false }: Starting = {},
): Promise<PinnedServer> {
  if (!program) return { url: url ?? "", pid: 0, start: 0, [Symbol.asyncDispose]: async () => undefined };
  const port = await freePort();
  const path = join(program.folder, `${access}.yml`);
  await writeFile(path, stringify(configuration(program.folder, port, logs, credentials.sections[access])));
  return await startPinned({
    command: [...program.command, "serve", path],
    port,
    env: { NODE_COMPILE_CACHE: compileCache ?? join(program.folder, "compiled") },
    log: join(program.folder, `${name.replaceAll(/\W/g, "-")}.log`),
  });
}

/** Both with their durable defaults, the cache in memory, and no lines of requests unless asked for. */
function configuration(folder: string, port: number, logs: boolean, auth: object | undefined): object {
  return {
    version: "0.1",
    log: logs ? { level: "info" } : { level: "warn", accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: join(folder, "data") },
      cache: { blobdescriptor: "inmemory" },
      delete: { enabled: true },
    },
    http: { addr: `127.0.0.1:${port}`, secret: "of the benchmark" },
    ...(auth && { auth }),
  };
}
