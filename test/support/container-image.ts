import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { freePort } from "./free-port.ts";
import { run } from "./run.ts";
import { ServerProcess } from "./server-process.ts";
import type { TemporaryFolder } from "./temporary-folder.ts";

const BUILD = fileURLToPath(new URL("../../build/image.ts", import.meta.url));
const BASE = "localhost/base";
const IMAGE = "localhost/tested";
/** The machine's own packages, from where the machine itself has them. */
const SOURCES = "/etc/apt/sources.list.d/debian.sources";

/** How a container is run: what `buildah run` takes before the container's name. */
export interface ContainerOptions {
  readonly user?: string;
  /** Paths here to paths there. */
  readonly mounts?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
}

/** The part of an image's configuration that its users see. */
export interface ImageConfig {
  readonly User: string;
  readonly ExposedPorts: Readonly<Record<string, unknown>>;
  readonly Entrypoint: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Volumes: Readonly<Record<string, unknown>>;
  readonly Labels: Readonly<Record<string, string>>;
  readonly StopSignal: string;
}

/** Our image, built on the least that Debian's packages make, and one container of it. */
export class ContainerImage {
  readonly config: ImageConfig;
  readonly #env: Readonly<Record<string, string>>;
  readonly #container: string;

  private constructor(config: ImageConfig, env: Readonly<Record<string, string>>, container: string) {
    this.config = config;
    this.#env = env;
    this.#container = container;
  }

  /** @param options of `npm run image` */
  static async build(folder: TemporaryFolder, ...options: readonly string[]): Promise<ContainerImage> {
    const env = await storage(folder);
    await makeBase(folder.join("base.tar"), env);
    const base = ["--with", "buildah", "--base", BASE, "--tag", IMAGE];
    await run(process.execPath, [BUILD, ...base, ...options], { env });
    const described = JSON.parse(await run("buildah", ["inspect", "--type", "image", IMAGE], { env }));
    const container = (await run("buildah", ["from", IMAGE], { env })).trim();
    return new ContainerImage(described.OCIv1.config, env, container);
  }

  /** Runs a command, past the entry point, to its end. */
  run(command: readonly string[], options: ContainerOptions = {}): Promise<string> {
    return run("buildah", this.#arguments(command, options), { env: this.#env });
  }

  /** Starts what the image starts, given these words, on a free port, and waits until it listens. */
  async start(words: readonly string[], options: ContainerOptions = {}): Promise<RunningContainer> {
    const port = await freePort();
    const env = { REGISTRY_HTTP_ADDR: `127.0.0.1:${port}`, ...options.env };
    const command = [...this.config.Entrypoint, ...(words.length > 0 ? words : (this.config.Cmd ?? []))];
    const server = new ServerProcess("buildah", this.#arguments(command, { ...options, env }), this.#env);
    await server.says(/listening on/i);
    return new RunningContainer(server, port);
  }

  #arguments(command: readonly string[], { user, mounts = {}, env = {} }: ContainerOptions): readonly string[] {
    const volumes = Object.entries(mounts).map(([here, there]) => `--volume=${here}:${there}`);
    const variables = Object.entries(env).map(([name, value]) => `--env=${name}=${value}`);
    const options = [...volumes, ...variables, ...(user === undefined ? [] : [`--user=${user}`])];
    return ["run", ...options, this.#container, "--", ...command];
  }
}

/** A registry in a container, on the machine's own network. */
export class RunningContainer implements AsyncDisposable {
  readonly host: string;
  readonly #server: ServerProcess;

  constructor(server: ServerProcess, port: number) {
    this.host = `127.0.0.1:${port}`;
    this.#server = server;
  }

  get url(): string {
    return `http://${this.host}`;
  }

  get log(): string {
    return this.#server.log;
  }

  /** Sends SIGTERM to the registry itself, not to buildah around it. Answers the exit code. */
  stop(): Promise<number | null> {
    process.kill(innermost(this.#server.pid), "SIGTERM");
    return this.#server.ended();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop();
  }
}

async function storage(folder: TemporaryFolder): Promise<Readonly<Record<string, string>>> {
  const path = folder.join("storage.conf");
  const [root, runRoot] = [folder.join("containers"), folder.join("containers-run")];
  await writeFile(path, `[storage]\ndriver = "vfs"\ngraphroot = "${root}"\nrunroot = "${runRoot}"\n`);
  return { CONTAINERS_STORAGE_CONF: path, BUILDAH_ISOLATION: "chroot", BUILDAH_LAYERS: "false" };
}

/** As `debian:bookworm-slim` is: apt and what it needs. */
async function makeBase(archive: string, env: Readonly<Record<string, string>>): Promise<void> {
  await run("mmdebstrap", ["--quiet", "--variant=minbase", codename(), archive, SOURCES]);
  const container = (await run("buildah", ["from", "scratch"], { env })).trim();
  await run("buildah", ["add", "--quiet", container, archive, "/"], { env });
  await run("buildah", ["commit", "--quiet", "--rm", container, BASE], { env });
}

function codename(): string {
  const name = /^VERSION_CODENAME=(.+)$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1];
  if (name === undefined) throw new Error("/etc/os-release names no release of Debian");
  return name;
}

/** The last of a chain of processes, each the only child of the one before, whichever of its threads began it. */
function innermost(pid: number): number {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").split(" "),
  );
  const child = children.find((text) => text !== "");
  return child ? innermost(Number(child)) : pid;
}
