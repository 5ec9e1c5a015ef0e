import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "./run.ts";
import { ServerProcess } from "./server-process.ts";
import type { TemporaryFolder } from "./temporary-folder.ts";

/** A containerd of its own, state and socket below one folder, and its client `ctr`. Needs root. */
export class Containerd implements AsyncDisposable {
  readonly #server: ServerProcess;
  readonly #socket: string;

  private constructor(server: ServerProcess, socket: string) {
    this.#server = server;
    this.#socket = socket;
  }

  static async start(folder: TemporaryFolder): Promise<Containerd> {
    const configuration = folder.join("containerd.toml");
    const socket = folder.join("containerd.sock");
    await writeFile(configuration, 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n');
    const places = ["--root", folder.join("containerd-root"), "--state", folder.join("containerd-state")];
    const server = new ServerProcess("containerd", ["--config", configuration, ...places, "--address", socket]);
    await server.says(/containerd successfully booted/);
    return new Containerd(server, socket);
  }

  /** `ctr images COMMAND …`; images are unpacked by the snapshotter that only copies. */
  images(command: string, ...args: readonly string[]): Promise<string> {
    const options = command in OPTIONS ? OPTIONS[command] : [];
    return run("ctr", ["--address", this.#socket, "images", command, ...(options ?? []), ...args]);
  }

  /** As {@link images}, over TLS with the certificates of a folder as podman's `--cert-dir` has them. */
  async encryptedImages(
    command: "pull" | "push",
    { certificates, host }: { readonly certificates: string; readonly host: string },
    ...args: readonly string[]
  ): Promise<string> {
    const folder = join(certificates, "hosts.d", host);
    const client = `client = [["${certificates}/client.cert", "${certificates}/client.key"]]`;
    await mkdir(folder, { recursive: true });
    await writeFile(
      join(folder, "hosts.toml"),
      `[host."https://${host}"]\ncapabilities = ["pull", "resolve", "push"]\nca = "${certificates}/ca.crt"\n${client}\n`,
    );
    const hosts = ["--hosts-dir", join(certificates, "hosts.d")];
    const unpack = command === "pull" ? ["--snapshotter", "native"] : [];
    return run("ctr", ["--address", this.#socket, "images", command, ...hosts, ...unpack, ...args]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }
}

const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  pull: ["--plain-http", "--snapshotter", "native"],
  push: ["--plain-http"],
  mount: ["--snapshotter", "native"],
};
