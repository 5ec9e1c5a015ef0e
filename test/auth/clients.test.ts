/** Real clients log in, push and pull, with each controller. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { bcrypt } from "hash-wasm";
import { unlessDebian, unlessDebianRoot } from "../setup.ts";
import { AUTHORITY, issue, x5cOf } from "../support/certificates.ts";
import { ContainerTools } from "../support/container-tools.ts";
import { Containerd } from "../support/containerd.ts";
import { imageOf, layerOf } from "../support/image.ts";
import { writeOciLayout } from "../support/oci-layout.ts";
import { type Configuration, type RegistryProcess, startRegistry } from "../support/registry-process.ts";
import { AMD64 } from "../support/samples.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { startTokenServer, type TokenServer } from "../support/token-server.ts";
import { ISSUER, SERVICE, type TokenAccess } from "../support/tokens.ts";

const PASSWORD = "pass word: with a colon";

/** Everybody may read what is shared, alice may do everything in her own. */
function allowed(user: string, { type, name, actions }: TokenAccess): readonly string[] {
  if (type !== "repository") return [];
  if (user === "alice" && name.startsWith("alice/")) return actions;
  return name.startsWith("shared/") ? actions.filter((action) => action === "pull") : [];
}

const REFUSED = /denied|unauthorized|authentication required|invalid username/;

interface Prepared {
  readonly auth: Configuration;
  readonly tokens?: TokenServer;
}

async function htpasswd(folder: TemporaryFolder): Promise<Prepared> {
  const hash = await bcrypt({ password: PASSWORD, salt: randomBytes(16), costFactor: 10, outputType: "encoded" });
  await writeFile(folder.join("htpasswd"), `alice:${hash}\n`);
  return { auth: { htpasswd: { realm: "the registry", path: folder.join("htpasswd") } } };
}

const token =
  (post: boolean) =>
  async (folder: TemporaryFolder): Promise<Prepared> => {
    const root = await issue(folder, "root", { extensions: [AUTHORITY] });
    const signer = await issue(folder, "leaf", { issuer: root });
    const tokens = await startTokenServer({
      ...{ signer, post, allowed },
      header: { x5c: x5cOf(signer) },
      passwords: { alice: PASSWORD },
    });
    const { certificatePath: rootcertbundle } = root;
    return { auth: { token: { realm: tokens.realm, service: SERVICE, issuer: ISSUER, rootcertbundle } }, tokens };
  };

for (const [controller, prepare] of [
  ["htpasswd", htpasswd],
  ["token by GET", token(false)],
  ["token by POST where a client can", token(true)],
] as const) {
  describe(`clients with ${controller}`, { skip: unlessDebian("skopeo") }, () => {
    const stack = new AsyncDisposableStack();
    let folder: TemporaryFolder;
    let registry: RegistryProcess;
    let tools: ContainerTools;
    let tokens: TokenServer | undefined;

    before(async () => {
      folder = stack.use(await temporaryFolder("login"));
      const prepared = await prepare(folder);
      tokens = prepared.tokens && stack.use(prepared.tokens);
      const configuration = { auth: prepared.auth };
      registry = stack.use(
        await startRegistry("wharfinger", { rootDirectory: folder.join("registry"), configuration }),
      );
      tools = await ContainerTools.create(folder);
      await mkdir(folder.join("content"));
      await writeFile(folder.join("content/plain.txt"), "a file\n");
      const image = imageOf([await layerOf(folder.join("content"))], { platform: AMD64 });
      await writeOciLayout(folder.join("layout"), { v1: image });
    });
    after(() => stack.disposeAsync());

    const name = (repository: string): string => `${registry.host}/${repository}`;
    const credentials = (password = PASSWORD): readonly string[] => ["--username", "alice", "--password", password];
    const push = (target: string): Promise<string> =>
      tools.skopeo("copy", `oci:${folder.join("layout")}:v1`, `docker://${name(target)}`);
    const pull = (source: string): Promise<string> =>
      tools.skopeo("copy", `docker://${name(source)}`, `dir:${folder.join(`pulled-${crypto.randomUUID()}`)}`);

    test("skopeo logs in, pushes, pulls, deletes, and logs out", async () => {
      await assert.rejects(push("alice/skopeo:v1"), REFUSED);
      await assert.rejects(tools.skopeo("login", ...credentials("wrong"), registry.host), REFUSED);
      await tools.skopeo("login", ...credentials(), registry.host);
      await push("alice/skopeo:v1");
      await pull("alice/skopeo:v1");
      await tools.skopeo("copy", `docker://${name("alice/skopeo:v1")}`, `docker://${name("alice/copied:v1")}`);
      await tools.skopeo("delete", `docker://${name("alice/copied:v1")}`);
      await tools.skopeo("logout", registry.host);
      await assert.rejects(pull("alice/skopeo:v1"), REFUSED);
    });

    test("ctr pulls and pushes with a user", { skip: unlessDebianRoot("containerd", "ctr") }, async () => {
      await tools.skopeo("login", ...credentials(), registry.host);
      await push("alice/ctr:v1");
      await tools.skopeo("logout", registry.host);
      await using containerd = await Containerd.start(folder);
      const user = `alice:${PASSWORD}`;
      await assert.rejects(containerd.images("pull", "--user", "alice:wrong", name("alice/ctr:v1")));
      await containerd.images("pull", "--user", user, name("alice/ctr:v1"));
      await containerd.images("push", "--user", user, name("alice/ctr:v2"), name("alice/ctr:v1"));
      await containerd.images("pull", "--user", user, name("alice/ctr:v2"));
    });

    const rights = "a token is asked for what the request needs, and grants no more than its user may";
    if (controller !== "htpasswd")
      test(rights, async () => {
        const asked = tokens?.asked ?? [];
        assert.ok(
          asked.some((line) => / alice repository:alice\/skopeo:pull,push$/.test(line)),
          asked.join("\n"),
        );
        await tools.skopeo("login", ...credentials(), registry.host);
        await assert.rejects(push("bob/own:v1"), REFUSED);
        await assert.rejects(push("shared/own:v1"), REFUSED);
        await tools.skopeo("logout", registry.host);
        await assert.rejects(pull("shared/own:v1"), /manifest unknown|name unknown|not found/i);
      });

    if (controller.includes("POST")) return; // these do as skopeo does

    test("podman logs in, pulls and pushes", { skip: unlessDebianRoot("podman") }, async () => {
      await tools.podman("login", "--tls-verify=false", ...credentials(), registry.host);
      await push("alice/podman:v1");
      await tools.podmanTransfer("pull", "--quiet", name("alice/podman:v1"));
      await tools.podmanTransfer("push", "--quiet", name("alice/podman:v1"), `docker://${name("alice/podman:v2")}`);
      await pull("alice/podman:v2");
      await tools.podman("logout", registry.host);
      await assert.rejects(tools.podmanTransfer("pull", "--quiet", name("alice/podman:v2")));
    });

    test("buildah logs in, pulls and pushes", { skip: unlessDebianRoot("buildah") }, async () => {
      await tools.buildah("login", "--tls-verify=false", ...credentials(), registry.host);
      await push("alice/buildah:v1");
      await tools.buildahTransfer("from", "--quiet", name("alice/buildah:v1"));
      await tools.buildahTransfer("push", "--quiet", name("alice/buildah:v1"), `docker://${name("alice/buildah:v2")}`);
      await pull("alice/buildah:v2");
      await tools.buildah("logout", registry.host);
      await assert.rejects(tools.buildahTransfer("push", "--quiet", name("alice/buildah:v1")));
    });
  });
}
