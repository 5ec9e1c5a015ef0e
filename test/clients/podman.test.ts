import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { unlessDebianRoot } from "../setup.ts";
import { describeTree, type FileTree } from "../support/file-tree.ts";
import { openWorkplace, type Workplace } from "../support/workplace.ts";

describe("podman", { skip: unlessDebianRoot("podman") }, () => {
  let place: Workplace;
  before(async () => {
    place = await openWorkplace();
  });
  after(() => place[Symbol.asyncDispose]());

  const name = (repository: string): string => `${place.registry.host}/${repository}`;
  const pull = async (repository: string): Promise<FileTree> => {
    await place.tools.podman("image", "unmount", "--all");
    await place.tools.podman("rmi", "--all", "--force");
    await place.tools.podmanTransfer("pull", "--quiet", name(repository));
    const mounted = await place.tools.podman("image", "mount", name(repository));
    return describeTree(mounted.trim());
  };

  for (const kind of ["oci", "docker", "zstd", "index", "dockerList"] as const) {
    test(`a pulled image has every file as it was: ${kind}`, async () => {
      await place.http.push(`pulled/${kind.toLowerCase()}`, "v1", place.samples[kind]);
      assert.deepEqual(await pull(`pulled/${kind.toLowerCase()}:v1`), place.samples.files);
    });
  }

  test("an image is pulled by its digest", async () => {
    const digest = await place.http.push("by-digest", "v1", place.samples.oci);
    assert.deepEqual(await pull(`by-digest@${digest}`), place.samples.files);
  });

  for (const format of ["oci", "v2s2"]) {
    test(`an image pushed in the format ${format} has every file as it was when it is pulled again`, async () => {
      await place.http.push("origin", "v1", place.samples.oci);
      await place.tools.podmanTransfer("pull", "--quiet", name("origin:v1"));
      const target = name(`pushed/${format}:v1`);
      await place.tools.podmanTransfer("push", "--quiet", "--format", format, name("origin:v1"), `docker://${target}`);
      assert.deepEqual(await pull(`pushed/${format}:v1`), place.samples.files);
    });
  }

  test("a list made by podman is pushed with all its images", async () => {
    await place.http.push("list-source", "multi", place.samples.index);
    await place.tools.podman("manifest", "create", "made-here");
    const source = `docker://${name("list-source:multi")}`;
    await place.tools.podman("manifest", "add", "--all", "--tls-verify=false", "made-here", source);
    await place.tools.podman(
      "manifest",
      "push",
      "--all",
      "--tls-verify=false",
      "made-here",
      `docker://${name("list:v1")}`,
    );
    await place.tools.podman("manifest", "rm", "made-here");
    for (const image of [place.samples.amd64, place.samples.arm64]) {
      await place.http.expectImage("list", image.manifest.descriptor.digest, image);
    }
    assert.deepEqual(await pull("list:v1"), place.samples.files);
  });
});
