import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { unlessDebian } from "../setup.ts";
import { ContainerTools } from "../support/container-tools.ts";
import type { Image } from "../support/image.ts";
import { bulkyImage, makeSamples, type Samples } from "../support/samples.ts";
import { DIRECTIONS, type RunningRegistry, withRegistry } from "../support/swap.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";

describe("one directory, one registry after the other", {
  skip: unlessDebian("docker-registry", "skopeo", "umoci"),
}, () => {
  let folder: TemporaryFolder;
  let samples: Samples;
  let tools: ContainerTools;
  before(async () => {
    folder = await temporaryFolder("swap");
    samples = await makeSamples(folder.path);
    tools = await ContainerTools.create(folder);
  });
  after(() => folder[Symbol.asyncDispose]());

  for (const [first, second] of DIRECTIONS) {
    test(`every image pushed to ${first} is pulled from ${second}, and back`, async () => {
      const directory = folder.join(`images-${first}`);
      const images = { ...imagesOf(samples), big: bulkyImage(64 * 2 ** 20, 3) };
      await withRegistry(first, directory, (registry) => pushAll(registry, images));
      await withRegistry(second, directory, async (registry) => {
        await expectAll(registry, images);
        await registry.http.push("second/only", "v1", samples.oci);
      });
      await withRegistry(first, directory, async (registry) => {
        await expectAll(registry, images);
        await registry.http.expectImage("second/only", "v1", samples.oci);
      });
    });

    test(`skopeo pushes to ${first}, and pulls every file as it was from ${second}`, async () => {
      const directory = folder.join(`skopeo-${first}`);
      await withRegistry(first, directory, async (registry) => {
        await registry.http.push("prepared", "v1", samples.docker);
        const [from, to] = [`${registry.process.host}/prepared:v1`, `${registry.process.host}/by-skopeo:v2`];
        await tools.skopeo("copy", "--format", "oci", `docker://${from}`, `docker://${to}`);
      });
      await withRegistry(second, directory, async ({ process }) => {
        assert.deepEqual(await tools.pullAndUnpack(`${process.host}/by-skopeo:v2`), samples.files);
        assert.deepEqual(await tools.pullAndUnpack(`${process.host}/prepared:v1`, "--format", "oci"), samples.files);
      });
    });

    test(`${second} lists the tags and repositories that ${first} made, and lists them in the same way`, async () => {
      const directory = folder.join(`listing-${first}`);
      const repositories = ["a", "a-b", "a/b", "a/b/c", "a0", "z"];
      const tags = ["1.0", "A", "_", "a.b-c", "latest", "v1"];
      await withRegistry(first, directory, async ({ http }) => {
        for (const repository of repositories) await http.push(repository, "v1", samples.layerless);
        for (const tag of tags) await http.putManifest("a/b", tag, samples.layerless.manifest);
        assert.deepEqual(await http.catalog(), ["a", "a/b", "a/b/c", "a-b", "a0", "z"]);
      });
      await withRegistry(second, directory, async ({ http }) => {
        assert.deepEqual(await http.catalog(), ["a", "a/b", "a/b/c", "a-b", "a0", "z"]);
        assert.deepEqual(await http.tags("a/b"), tags);
      });
    });
  }
});

function imagesOf(samples: Samples): Readonly<Record<string, Image>> {
  const { oci, docker, zstd, layerless, index, dockerList } = samples;
  return { oci, docker, zstd, layerless, index, list: dockerList };
}

async function pushAll({ http }: RunningRegistry, images: Readonly<Record<string, Image>>): Promise<void> {
  for (const [name, image] of Object.entries(images)) await http.push(`swap/${name}`, "v1", image);
}

async function expectAll({ http }: RunningRegistry, images: Readonly<Record<string, Image>>): Promise<void> {
  for (const [name, image] of Object.entries(images)) {
    await http.expectImage(`swap/${name}`, "v1", image);
    await http.expectImage(`swap/${name}`, image.manifest.descriptor.digest, image);
    assert.deepEqual(await http.tags(`swap/${name}`), ["v1"]);
  }
}
