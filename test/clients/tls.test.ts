/** Real clients over TLS, with certificates of their own. Debian's podman, buildah and skopeo speak HTTP/1 then. */
import assert from "node:assert/strict";
import { copyFile, mkdir } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { unlessDebian, unlessDebianRoot } from "../setup.ts";
import { Authority } from "../support/authority.ts";
import { Containerd } from "../support/containerd.ts";
import { describeTree } from "../support/file-tree.ts";
import { type RegistryProcess, startRegistry } from "../support/registry-process.ts";
import { openWorkplace, type Workplace } from "../support/workplace.ts";

describe("over TLS, with a certificate of the client", { skip: unlessDebian("skopeo", "umoci") }, () => {
  let place: Workplace;
  let secure: RegistryProcess;
  let certificates: string;
  before(async () => {
    place = await openWorkplace();
    const authority = await Authority.make(place.folder, "ca");
    const [server, client] = [await authority.sign("server"), await authority.sign("client")];
    const tls = { certificate: server.certPath, key: server.keyPath, clientcas: [authority.path] };
    const configuration = { log: { accesslog: { disabled: false } }, http: { tls } };
    secure = await startRegistry("wharfinger", { rootDirectory: place.folder.join("secure"), configuration });
    certificates = place.folder.join("certificates");
    await mkdir(certificates);
    await copyFile(authority.path, `${certificates}/ca.crt`);
    await copyFile(client.certPath, `${certificates}/client.cert`);
    await copyFile(client.keyPath, `${certificates}/client.key`);
    await push("first:v1");
  });
  after(async () => {
    await secure[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  });

  const name = (repository: string): string => `${secure.host}/${repository}`;
  const policy = (): readonly string[] => [
    "--cert-dir",
    certificates,
    "--signature-policy",
    place.folder.join("policy.json"),
  ];
  const push = (repository: string): Promise<string> =>
    place.tools.skopeo(
      "copy",
      "--dest-tls-verify=true",
      "--dest-cert-dir",
      certificates,
      `oci:${place.layout}:oci`,
      `docker://${name(repository)}`,
    );

  test("skopeo pushes and pulls", async () => {
    const files = await place.tools.pullAndUnpack(
      name("first:v1"),
      "--src-tls-verify=true",
      "--src-cert-dir",
      certificates,
    );
    assert.deepEqual(files, place.samples.files);
  });

  test("skopeo without a certificate is not let in", async () => {
    await assert.rejects(place.tools.skopeo("inspect", `docker://${name("first:v1")}`));
  });

  test("podman pulls and pushes", { skip: unlessDebianRoot("podman") }, async () => {
    await place.tools.podman("pull", "--quiet", ...policy(), name("first:v1"));
    await place.tools.podman("push", "--quiet", ...policy(), name("first:v1"), `docker://${name("podman:v1")}`);
    await place.tools.podman("rmi", "--all", "--force");
    await place.tools.podman("pull", "--quiet", ...policy(), name("podman:v1"));
    const mounted = await place.tools.podman("image", "mount", name("podman:v1"));
    assert.deepEqual(await describeTree(mounted.trim()), place.samples.files);
  });

  test("buildah pulls and pushes", { skip: unlessDebianRoot("buildah") }, async () => {
    const container = (await place.tools.buildah("from", ...policy(), name("first:v1"))).trim();
    await place.tools.buildah("commit", "--quiet", ...policy(), container, `docker://${name("buildah:v1")}`);
    const again = (await place.tools.buildah("from", ...policy(), name("buildah:v1"))).trim();
    const mounted = await place.tools.buildah("mount", again);
    assert.deepEqual(await describeTree(mounted.trim()), place.samples.files);
  });

  test("containerd pulls and pushes", { skip: unlessDebianRoot("containerd", "ctr") }, async () => {
    await using containerd = await Containerd.start(place.folder);
    await containerd.encryptedImages("pull", { certificates, host: secure.host }, name("first:v1"));
    await containerd.encryptedImages(
      "push",
      { certificates, host: secure.host },
      name("containerd:v1"),
      name("first:v1"),
    );
    const files = await place.tools.pullAndUnpack(
      name("containerd:v1"),
      "--src-tls-verify=true",
      "--src-cert-dir",
      certificates,
    );
    assert.deepEqual(files, place.samples.files);
  });
});
