/** Real clients log in, push and pull, with each controller. */
import assert from "node:assert/strict";
import { createPublicKey, type KeyObject, randomBytes } from "node:crypto";
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { bcrypt } from "hash-wasm";
import { thumbprintOf } from "../../src/auth/token/key-ids.ts";
import { keyIdOf } from "../../src/oci/schema1/key-id.ts";
import { unlessDebian, unlessDebianRoot } from "../setup.ts";
import { Authority } from "../support/authority.ts";
import { AUTHORITY, issue } from "../support/certificates.ts";
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

type Prepare = (folder: TemporaryFolder) => Promise<Prepared>;

async function htpasswd(folder: TemporaryFolder): Promise<Prepared> {
  const hash = await bcrypt({ password: PASSWORD, salt: randomBytes(16), costFactor: 10, outputType: "encoded" });
  await writeFile(folder.join("htpasswd"), `alice:${hash}\n`);
  return { auth: { htpasswd: { realm: "the registry", path: folder.join("htpasswd") } } };
}

/** Its tokens say by which id of a key they are signed. */
const token =
  (idOf: (key: KeyObject) => string | undefined, post: boolean): Prepare =>
  async (folder) => {
    const signer = await issue(folder, "root", { extensions: [AUTHORITY] });
    const header = { kid: idOf(createPublicKey(signer.key)) };
    const tokens = await startTokenServer({ ...{ signer, post, allowed, header }, passwords: { alice: PASSWORD } });
    const { certificatePath: rootcertbundle } = signer;
    return { auth: { token: { realm: tokens.realm, service: SERVICE, issuer: ISSUER, rootcertbundle } }, tokens };
  };

const token2: Prepare = token(keyIdOf, false);
const token3: Prepare = token((key) => thumbprintOf(key.export({ format: "jwk" }) as Record<string, unknown>), true);

/** It believes every token, so the tokens of nobody as well. */
const silly: Prepare = async (folder) => {
  const { tokens } = await token2(folder);
  return { auth: { silly: { realm: tokens?.realm ?? "", service: SERVICE } }, ...(tokens && { tokens }) };
};

for (const [controller, prepare] of [
  ["silly", silly],
  ["htpasswd", htpasswd],
  ["token of 2.x by GET", token2],
  ["token of 3.x by POST where a client can", token3],
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
    /** Without a name, everybody is let in by one controller and nobody by the others. */
    const expectRefused = async (asked: Promise<unknown>, reason: RegExp): Promise<void> => {
      if (controller === "silly") await asked;
      else await assert.rejects(asked, reason);
    };
    const credentials = (password = PASSWORD): readonly string[] => ["--username", "alice", "--password", password];
    const push = (target: string): Promise<string> =>
      tools.skopeo("copy", `oci:${folder.join("layout")}:v1`, `docker://${name(target)}`);
    const pull = (source: string): Promise<string> =>
      tools.skopeo("copy", `docker://${name(source)}`, `dir:${folder.join(`pulled-${crypto.randomUUID()}`)}`);

    test("skopeo logs in, pushes, pulls, deletes, and logs out", async () => {
      await expectRefused(push("alice/skopeo:v1"), REFUSED);
      await assert.rejects(tools.skopeo("login", ...credentials("wrong"), registry.host), REFUSED);
      await tools.skopeo("login", ...credentials(), registry.host);
      await push("alice/skopeo:v1");
      await pull("alice/skopeo:v1");
      await tools.skopeo("copy", `docker://${name("alice/skopeo:v1")}`, `docker://${name("alice/copied:v1")}`);
      await tools.skopeo("delete", `docker://${name("alice/copied:v1")}`);
      await tools.skopeo("logout", registry.host);
      await expectRefused(pull("alice/skopeo:v1"), REFUSED);
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
    if (controller.startsWith("token"))
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

    test("podman logs in, pulls and pushes", { skip: unlessDebianRoot("podman") }, async () => {
      await tools.podman("login", "--tls-verify=false", ...credentials(), registry.host);
      await push("alice/podman:v1");
      await tools.podmanTransfer("pull", "--quiet", name("alice/podman:v1"));
      await tools.podmanTransfer("push", "--quiet", name("alice/podman:v1"), `docker://${name("alice/podman:v2")}`);
      await pull("alice/podman:v2");
      await tools.podman("logout", registry.host);
      await expectRefused(tools.podmanTransfer("pull", "--quiet", name("alice/podman:v2")), REFUSED);
    });

    test("buildah logs in, pulls and pushes", { skip: unlessDebianRoot("buildah") }, async () => {
      await tools.buildah("login", "--tls-verify=false", ...credentials(), registry.host);
      await push("alice/buildah:v1");
      await tools.buildahTransfer("from", "--quiet", name("alice/buildah:v1"));
      await tools.buildahTransfer("push", "--quiet", name("alice/buildah:v1"), `docker://${name("alice/buildah:v2")}`);
      await pull("alice/buildah:v2");
      await tools.buildah("logout", registry.host);
      const target = `docker://${name("alice/buildah:v3")}`;
      await expectRefused(tools.buildahTransfer("push", "--quiet", name("alice/buildah:v1"), target), REFUSED);
    });
  });
}

describe("over TLS, where a client needs a certificate and a password", { skip: unlessDebian("skopeo") }, () => {
  for (const [controller, prepare] of [
    ["htpasswd", htpasswd],
    ["token", token3],
  ] as const) {
    test(`skopeo logs in, pushes and pulls with ${controller}`, async () => {
      await using stack = new AsyncDisposableStack();
      const folder = stack.use(await temporaryFolder("login"));
      const { auth, tokens } = await prepare(folder);
      if (tokens) stack.use(tokens);
      const [authority, certificates] = [await Authority.make(folder, "ca"), folder.join("certificates")];
      const [server, client] = [await authority.sign("server"), await authority.sign("client")];
      await mkdir(certificates);
      await copyFile(authority.path, `${certificates}/ca.crt`);
      await copyFile(client.certPath, `${certificates}/client.cert`);
      await copyFile(client.keyPath, `${certificates}/client.key`);
      const tls = { certificate: server.certPath, key: server.keyPath, clientcas: [authority.path] };
      const registry = stack.use(
        await startRegistry("wharfinger", {
          rootDirectory: folder.join("data"),
          configuration: { auth, http: { tls } },
        }),
      );
      const tools = await ContainerTools.create(folder);
      await mkdir(folder.join("content"));
      await writeFile(folder.join("content/plain.txt"), "a file\n");
      await writeOciLayout(folder.join("layout"), {
        v1: imageOf([await layerOf(folder.join("content"))], { platform: AMD64 }),
      });
      const image = `docker://${registry.host}/alice/skopeo:v1`;
      const login = ["--tls-verify=true", "--username", "alice", "--password", PASSWORD, registry.host];
      const secure = ["--cert-dir", certificates];
      const to = ["--dest-tls-verify=true", "--dest-cert-dir", certificates];
      const from = ["--src-tls-verify=true", "--src-cert-dir", certificates];
      await assert.rejects(tools.skopeo("login", ...login), /certificate/);
      await assert.rejects(tools.skopeo("copy", ...to, `oci:${folder.join("layout")}:v1`, image), REFUSED);
      await tools.skopeo("login", ...secure, ...login);
      await tools.skopeo("copy", ...to, `oci:${folder.join("layout")}:v1`, image);
      await tools.skopeo("copy", ...from, image, `dir:${folder.join("pulled")}`);
    });
  }
});
