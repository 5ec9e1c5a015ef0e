import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { freePort } from "./free-port.ts";
import { ServerProcess } from "./server-process.ts";
import { type TemporaryFolder, temporaryFolder } from "./temporary-folder.ts";

/** `wharfinger` is this working tree, `docker-registry` the program of Debian's package. */
export type RegistryKind = "wharfinger" | "docker-registry";

export interface RegistryOptions {
  readonly rootDirectory: string;
  /** Another storage than that directory: the driver's section by its name. */
  readonly driver?: Configuration | undefined;
  /** Laid over the configuration of {@link registryConfiguration}, section by section. */
  readonly configuration?: Configuration;
  /** A configuration file to use as it is, instead of a generated one. */
  readonly configurationPath?: string;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** A free one when not given. */
  readonly port?: number;
}

export interface Configuration {
  readonly [key: string]: Configuration | string | number | boolean | readonly (string | Configuration)[];
}

/** The key of upload tokens that all registries started here share. */
const SHARED_SECRET = "of the tests";
const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

/**
 * Starts a registry on 127.0.0.1 and waits until it says that it listens.
 *
 * `WHARFINGER_TESTED=docker-registry` puts Debian's registry in our place: what a client suite then finds
 * wrong is a fault of the suite.
 * @throws {Error} with the registry's log, when it exits instead
 */
export async function startRegistry(kind: RegistryKind, options: RegistryOptions): Promise<RegistryProcess> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(kind, options, options.port ?? (await freePort()));
    } catch (error) {
      if (options.port !== undefined || attempt === ATTEMPTS || !PORT_TAKEN.test(String(error))) throw error;
    }
  }
}

/** A free port may be taken by another test before the registry binds it. */
const ATTEMPTS = 5;
const PORT_TAKEN = /another program uses this port|address already in use/;

async function start(kind: RegistryKind, options: RegistryOptions, port: number): Promise<RegistryProcess> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder("registry"));
  const path = options.configurationPath ?? folder.join("config.yml");
  if (options.configurationPath === undefined) {
    await writeFile(
      path,
      stringify(registryConfiguration(options.rootDirectory, port, options.configuration, options.driver)),
    );
  }
  const [command, ...args] = commandOf(kind);
  const server = stack.use(new ServerProcess(command, [...args, "serve", path], options.env));
  await server.says(/listening on/i);
  stack.move();
  return new RegistryProcess(server, port, folder);
}

/** A directory, deletes allowed, no descriptor cache (two registries may share the directory), the tests' secret. */
export function registryConfiguration(
  rootDirectory: string,
  port: number,
  over: Configuration = {},
  driver: Configuration = { filesystem: { rootdirectory: rootDirectory } },
): Configuration {
  return merged(
    {
      version: "0.1",
      log: { level: "info", accesslog: { disabled: true } },
      storage: {
        ...driver,
        delete: { enabled: true },
        maintenance: { uploadpurging: { enabled: false } },
      },
      http: { addr: `127.0.0.1:${port}`, secret: SHARED_SECRET, relativeurls: true },
    },
    over,
  );
}

export class RegistryProcess implements AsyncDisposable {
  readonly port: number;
  readonly #process: ServerProcess;
  readonly #folder: TemporaryFolder;

  constructor(process: ServerProcess, port: number, folder: TemporaryFolder) {
    this.port = port;
    this.#process = process;
    this.#folder = folder;
  }

  /** `127.0.0.1:port`, as image names begin. */
  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  get url(): string {
    return `http://${this.host}`;
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Everything written to standard output and standard error so far. */
  get log(): string {
    return this.#process.log;
  }

  /** Ends it with SIGTERM. Answers the exit code, null after a signal. */
  stop(): Promise<number | null> {
    return this.#process.stop();
  }

  /** Ends it with SIGKILL: no handler of the process runs. */
  kill(): Promise<void> {
    return this.#process.kill();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#folder[Symbol.asyncDispose]();
  }
}

function commandOf(kind: RegistryKind): readonly [string, ...string[]] {
  const debian = kind === "docker-registry" || process.env["WHARFINGER_TESTED"] === "docker-registry";
  return debian ? ["docker-registry"] : [process.execPath, MAIN];
}

function merged(below: Configuration, above: Configuration): Configuration {
  const result: Record<string, Configuration[string]> = { ...below };
  for (const [key, value] of Object.entries(above)) {
    const old = result[key];
    result[key] = isSection(old) && isSection(value) ? merged(old, value) : value;
  }
  return result;
}

function isSection(value: Configuration[string] | undefined): value is Configuration {
  return typeof value === "object" && !Array.isArray(value);
}
