import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describeTree, type FileTree } from "./file-tree.ts";
import { run } from "./run.ts";
import type { TemporaryFolder } from "./temporary-folder.ts";

/** Debian's container tools, each with its state below one folder and nothing read from the machine's settings. */
export class ContainerTools {
  readonly #folder: TemporaryFolder;

  private constructor(folder: TemporaryFolder) {
    this.#folder = folder;
  }

  static async create(folder: TemporaryFolder): Promise<ContainerTools> {
    const policy = { default: [{ type: "insecureAcceptAnything" }] };
    await writeFile(folder.join("policy.json"), JSON.stringify(policy));
    await writeFile(folder.join("auth.json"), "{}");
    await writeFile(folder.join("registries.conf"), "");
    return new ContainerTools(folder);
  }

  /** TLS is off for every registry. */
  skopeo(command: string, ...args: readonly string[]): Promise<string> {
    return this.skopeoFor("amd64", command, ...args);
  }

  /** As {@link skopeo}, choosing Linux images of this architecture from indexes. */
  skopeoFor(architecture: string, command: string, ...args: readonly string[]): Promise<string> {
    const choice = ["--override-os", "linux", "--override-arch", architecture];
    const policy = ["--policy", this.#folder.join("policy.json")];
    return this.#run("skopeo", [...policy, ...choice, command, ...plainHttp(command), ...args]);
  }

  podman(...args: readonly string[]): Promise<string> {
    const own = ["--cgroup-manager=cgroupfs", "--events-backend=none", "--tmpdir", this.#folder.join("podman-tmp")];
    return this.#run("podman", [...own, ...this.#storage("podman"), ...args]);
  }

  /** Without TLS. */
  podmanTransfer(command: "pull" | "push", ...args: readonly string[]): Promise<string> {
    return this.podman(command, "--tls-verify=false", "--signature-policy", this.#folder.join("policy.json"), ...args);
  }

  buildah(command: string, ...args: readonly string[]): Promise<string> {
    return this.#run("buildah", [...this.#storage("buildah"), command, ...args]);
  }

  buildahTransfer(command: "from" | "commit" | "push", ...args: readonly string[]): Promise<string> {
    return this.buildah(command, "--tls-verify=false", "--signature-policy", this.#folder.join("policy.json"), ...args);
  }

  umoci(...args: readonly string[]): Promise<string> {
    return run("umoci", args);
  }

  /** Unpacks an image of an OCI layout and describes its files. */
  async unpack(layout: string, tag: string): Promise<FileTree> {
    const bundle = this.#folder.join(`bundle-${crypto.randomUUID()}`);
    await this.umoci("unpack", ...rootless(), "--image", `${layout}:${tag}`, bundle);
    return describeTree(join(bundle, "rootfs"));
  }

  /** Pulls an image with skopeo, unpacks it with umoci and describes its files. */
  async pullAndUnpack(source: string, ...args: readonly string[]): Promise<FileTree> {
    const layout = this.#folder.join(`layout-${crypto.randomUUID()}`);
    await this.skopeo("copy", ...args, `docker://${source}`, `oci:${layout}:pulled`);
    return this.unpack(layout, "pulled");
  }

  #storage(tool: string): readonly string[] {
    const [root, runRoot] = [this.#folder.join(`${tool}-root`), this.#folder.join(`${tool}-run`)];
    return ["--storage-driver", "vfs", "--root", root, "--runroot", runRoot];
  }

  #run(program: string, args: readonly string[]): Promise<string> {
    const [auth, registries] = [this.#folder.join("auth.json"), this.#folder.join("registries.conf")];
    return run(program, args, { env: { REGISTRY_AUTH_FILE: auth, CONTAINERS_REGISTRIES_CONF: registries } });
  }
}

const PLAIN_HTTP: Readonly<Record<string, readonly string[]>> = {
  copy: ["--quiet", "--src-tls-verify=false", "--dest-tls-verify=false"],
  sync: ["--src-tls-verify=false", "--dest-tls-verify=false"],
};

function plainHttp(command: string): readonly string[] {
  return PLAIN_HTTP[command] ?? ["--tls-verify=false"];
}

function rootless(): readonly string[] {
  return process.getuid?.() === 0 ? [] : ["--rootless"];
}
