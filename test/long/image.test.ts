import assert from "node:assert/strict";
import { chown, mkdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { unlessDebianRoot } from "../setup.ts";
import { ContainerImage } from "../support/container-image.ts";
import { ContainerTools } from "../support/container-tools.ts";
import { writeOciLayout } from "../support/oci-layout.ts";
import { RegistryClient } from "../support/registry-client.ts";
import { makeSamples, type Samples } from "../support/samples.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";

const USER = 1000;

describe("the container image", { skip: unlessDebianRoot("buildah", "mmdebstrap", "skopeo", "umoci") }, () => {
  let folder: TemporaryFolder;
  let image: ContainerImage;
  let tools: ContainerTools;
  let samples: Samples;
  before(async () => {
    folder = await temporaryFolder("image");
    image = await ContainerImage.build(folder, "--user", `${USER}`);
    tools = await ContainerTools.create(folder);
    samples = await makeSamples(folder.path);
    await writeOciLayout(folder.join("samples"), { oci: samples.oci });
  });
  after(() => folder[Symbol.asyncDispose]());

  test("says what the peers' images say: port, volume, entry point", () => {
    const { User, ExposedPorts, Volumes, Entrypoint, StopSignal, Labels } = image.config;
    assert.deepEqual([User, StopSignal, Entrypoint], [`${USER}`, "SIGTERM", ["/entrypoint.sh"]]);
    assert.deepEqual([ExposedPorts, Volumes], [{ "5000/tcp": {} }, { "/var/lib/registry": {} }]);
    assert.match(Labels["org.opencontainers.image.version"] ?? "", /^\d+\.\d+\.\d+/);
  });

  test("keeps what skopeo pushes in the volume, and ends with 0 at SIGTERM", async () => {
    const data = folder.join("data");
    await mkdir(data);
    await chown(data, USER, USER);
    const mounts = { [data]: "/var/lib/registry" };
    await using first = await image.start([], { mounts });
    await tools.skopeo("copy", `oci:${folder.join("samples")}:oci`, `docker://${first.host}/a/b:v1`);
    assert.equal(await first.stop(), 0, first.log);
    assert.equal((await stat(join(data, "docker/registry/v2/repositories/a/b"))).uid, USER);

    await using second = await image.start(["serve"], { mounts });
    assert.deepEqual(await tools.pullAndUnpack(`${second.host}/a/b:v1`), samples.files);
    assert.equal((await fetch(`${second.url}/v2/`)).headers.get("X-Content-Type-Options"), "nosniff");
    assert.match(second.log, /service=registry/);
    assert.equal(await second.stop(), 0, second.log);
  });

  test("run as any other user it may write where nothing is mounted", async () => {
    await using container = await image.start([], { user: "4711:4711" });
    const client = new RegistryClient(container.url);
    await client.push("a/b", "v1", samples.oci);
    await client.expectImage("a/b", "v1", samples.oci);
  });

  for (const there of ["/etc/docker/registry", "/etc/distribution"]) {
    for (const what of ["/config.yml", ""]) {
      test(`reads the ${what === "" ? "folder" : "file"} that is mounted at ${there}${what}`, async () => {
        const settings = await configuration(folder.join(crypto.randomUUID()));
        await using container = await image.start([], { mounts: { [`${settings}${what}`]: `${there}${what}:ro` } });
        assert.equal((await fetch(`${container.url}/v2/`)).headers.get("X-From"), "mounted");
      });
    }
  }

  test("does not serve out of a folder of its own where a mounted folder hides the configuration", async () => {
    await mkdir(folder.join("empty"));
    await assert.rejects(
      image.run(["/entrypoint.sh"], { mounts: { [folder.join("empty")]: "/etc/docker/registry" } }),
      /\/etc\/docker\/registry\/config\.yml: there is no such configuration file/,
    );
  });

  test("answers to both names, in /bin, without the entry point", async () => {
    for (const command of ["/bin/registry", "wharfinger"]) {
      assert.match(await image.run([command, "--version"]), /^wharfinger \d/);
    }
    const checked = await image.run(["registry", "config", "check", "/etc/docker/registry/config.yml"]);
    assert.equal(checked, "/etc/docker/registry/config.yml is valid\n");
  });

  test("has every package that the program may load, and no tests, types or sources of them", async () => {
    const script = `
      const { dependencies } = JSON.parse(await (await import("node:fs/promises")).readFile("package.json", "utf8"));
      for (const name of Object.keys(dependencies)) await import(name);
      console.log(Object.keys(dependencies).length > 5);`;
    const load = 'cd /usr/lib/wharfinger && exec ./node --input-type=module --eval "$0"';
    assert.equal(await image.run(["sh", "-c", load, script]), "true\n");
    assert.equal(await image.run(["sh", "-c", "find /usr/lib/wharfinger -name '*.ts' -o -name '*.map'"]), "");
  });

  test("has the licences of the packages in it, and no compiler that npm took along", async () => {
    const folder = "/usr/lib/wharfinger/node_modules";
    const licences = await image.run(["sh", "-c", `find ${folder} -iname 'licen[cs]e*'`]);
    for (const name of ["jose", "lru-cache", "valibot"])
      assert.ok(licences.includes(`${folder}/${name}/LICENSE`), licences);
    assert.equal(await image.run(["sh", "-c", `find ${folder} -path '*typescript*'`]), "");
  });
});

/** A folder with a configuration that is seen in the headers of every answer. */
async function configuration(path: string): Promise<string> {
  await mkdir(path);
  const text = "version: 0.1\nstorage: inmemory\nhttp: {addr: ':5000', headers: {X-From: [mounted]}}\n";
  await writeFile(join(path, "config.yml"), text);
  return path;
}
