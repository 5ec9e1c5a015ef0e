import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { digestOf } from "../../src/oci/digest.ts";
import { MediaType } from "../../src/oci/media-types.ts";
import { unlessDebian } from "../setup.ts";
import { writeOciLayout } from "../support/oci-layout.ts";
import { bulkyImage } from "../support/samples.ts";
import { openWorkplace, type Workplace } from "../support/workplace.ts";

describe("skopeo", { skip: unlessDebian("skopeo", "umoci") }, () => {
  let place: Workplace;
  before(async () => {
    place = await openWorkplace();
  });
  after(() => place[Symbol.asyncDispose]());

  const name = (repository: string): string => `${place.registry.host}/${repository}`;
  const push = (tag: string, repository: string, ...args: readonly string[]): Promise<string> =>
    place.tools.skopeo("copy", ...args, `oci:${place.layout}:${tag}`, `docker://${name(repository)}`);
  const rawManifest = (repository: string): Promise<string> =>
    place.tools.skopeo("inspect", "--raw", `docker://${name(repository)}`);

  test("an image goes up and comes down with its digest and every file as it was", async () => {
    await push("oci", "whole/image:v1");
    assert.equal(
      digestOf(Buffer.from(await rawManifest("whole/image:v1"))),
      place.samples.oci.manifest.descriptor.digest,
    );
    assert.deepEqual(await place.tools.pullAndUnpack(name("whole/image:v1")), place.samples.files);
  });

  test("an image without layers goes up and comes down", async () => {
    await push("layerless", "layerless:v1");
    await place.tools.skopeo("copy", `docker://${name("layerless:v1")}`, `dir:${place.folder.join("layerless")}`);
    const manifest = await readFile(place.folder.join("layerless/manifest.json"));
    assert.equal(digestOf(manifest), place.samples.layerless.manifest.descriptor.digest);
  });

  test("an image converted to Docker's format on the way up holds the same files", async () => {
    await push("oci", "as-docker:v1", "--format", "v2s2");
    const manifest = JSON.parse(await rawManifest("as-docker:v1")) as { mediaType: string };
    assert.equal(manifest.mediaType, MediaType.dockerManifest);
    assert.deepEqual(await place.tools.pullAndUnpack(name("as-docker:v1"), "--format", "oci"), place.samples.files);
  });

  test("layers compressed with zstd come down byte for byte", async () => {
    await push("zstd", "zstd:v1");
    const folder = place.folder.join("zstd");
    await place.tools.skopeo("copy", `docker://${name("zstd:v1")}`, `dir:${folder}`);
    for (const { descriptor } of place.samples.zstd.blobs) {
      assert.equal(digestOf(await readFile(join(folder, descriptor.digest.slice(7)))), descriptor.digest);
    }
  });

  test("an index goes up with all its images, and each platform's image comes down", async () => {
    await push("index", "multi:v1", "--all");
    assert.equal(digestOf(Buffer.from(await rawManifest("multi:v1"))), place.samples.index.manifest.descriptor.digest);
    await place.http.expectImage("multi", "v1", place.samples.index);
    const chosen = place.folder.join("multi-arm64");
    await place.tools.skopeoFor("arm64", "copy", `docker://${name("multi:v1")}`, `dir:${chosen}`);
    const manifest = await readFile(join(chosen, "manifest.json"));
    assert.equal(digestOf(manifest), place.samples.arm64.manifest.descriptor.digest);
  });

  test("an index comes down with all its images and goes up elsewhere with the same digest", async () => {
    await push("index", "multi:origin", "--all");
    const folder = place.folder.join("multi-all");
    await place.tools.skopeo("copy", "--all", `docker://${name("multi:origin")}`, `dir:${folder}`);
    await place.tools.skopeo("copy", "--all", `dir:${folder}`, `docker://${name("elsewhere/multi:copy")}`);
    await place.http.expectImage("elsewhere/multi", "copy", place.samples.index);
  });

  test("inspect shows digest, layers and tags", async () => {
    await push("oci", "inspected:v1");
    const shown = JSON.parse(await place.tools.skopeo("inspect", `docker://${name("inspected:v1")}`)) as {
      Digest: string;
      Layers: string[];
      RepoTags: string[];
    };
    assert.equal(shown.Digest, place.samples.oci.manifest.descriptor.digest);
    assert.deepEqual(shown.RepoTags, ["v1"]);
    assert.equal(shown.Layers.length, 2);
  });

  test("a copy between repositories of the registry shares the layers", async () => {
    await push("oci", "copy/source:v1");
    await place.tools.skopeo("copy", `docker://${name("copy/source:v1")}`, `docker://${name("copy/target:v1")}`);
    await place.http.expectImage("copy/target", "v1", place.samples.oci);
  });

  test("list-tags lists every tag, and delete takes the image with its tags away", async () => {
    for (const tag of ["v1", "v2"]) await push("oci", `tagged:${tag}`);
    await push("layerless", "tagged:other");
    const listed = await place.tools.skopeo("list-tags", `docker://${name("tagged")}`);
    assert.deepEqual((JSON.parse(listed) as { Tags: string[] }).Tags.sort(), ["other", "v1", "v2"]);
    await place.tools.skopeo("delete", `docker://${name("tagged:v1")}`);
    assert.deepEqual(await place.http.tags("tagged"), ["other"]);
  });

  test("sync takes every tag of a repository into a folder and back into another registry path", async () => {
    for (const tag of ["v1", "v2"]) await push("oci", `synced:${tag}`);
    const folder = place.folder.join("synced");
    await place.tools.skopeo("sync", "--src", "docker", "--dest", "dir", name("synced"), folder);
    await place.tools.skopeo("sync", "--src", "dir", "--dest", "docker", folder, name("mirror"));
    assert.deepEqual(await place.http.tags("mirror/synced"), ["v1", "v2"]);
    await place.http.expectImage("mirror/synced", "v2", place.samples.oci);
  });

  test("a layer of 64 MiB goes up and comes down", async () => {
    const image = bulkyImage(64 * 2 ** 20, 1);
    await writeOciLayout(place.folder.join("bulky"), { v1: image });
    const preserve = "--preserve-digests";
    await place.tools.skopeo("copy", preserve, `oci:${place.folder.join("bulky")}:v1`, `docker://${name("bulky:v1")}`);
    await place.http.expectImage("bulky", "v1", image);
    await place.tools.skopeo("copy", `docker://${name("bulky:v1")}`, `dir:${place.folder.join("bulky-dir")}`);
  });
});
