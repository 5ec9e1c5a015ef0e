import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { stringify } from "yaml";
import { unlessDebian } from "../setup.ts";
import { artifactOf, type Image, indexOf, noise } from "../support/image.ts";
import { registryConfiguration } from "../support/registry-process.ts";
import { run } from "../support/run.ts";
import { AMD64, ARM64, bulkyImage } from "../support/samples.ts";
import { withRegistry } from "../support/swap.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";

describe("the old registry's garbage collector on a directory that we wrote", {
  skip: unlessDebian("docker-registry"),
}, () => {
  let folder: TemporaryFolder;
  before(async () => {
    folder = await temporaryFolder("collector");
  });
  after(() => folder[Symbol.asyncDispose]());

  const [tagged, retagged, replaced] = [bulkyImage(5000, 1), bulkyImage(5000, 2), bulkyImage(5000, 3)];
  const [amd64, arm64] = [bulkyImage(3000, 4), bulkyImage(3000, 5)];
  const index = indexOf([
    [amd64, AMD64],
    [arm64, ARM64],
  ]);
  const signature = artifactOf(tagged, "application/vnd.example.signature", noise(40, 6));
  /** The images of the index are tagged too: this collector takes them away when they are not. */
  const kept: readonly (readonly [string, string, Image])[] = [
    ["app", "v1", tagged],
    ["app", "latest", retagged],
    ["team/multi", "v1", index],
    ["team/multi", "amd64", amd64],
    ["team/multi", "arm64", arm64],
    ["copy/of/app", "v1", tagged],
  ];

  /** Fills a directory, runs the collector on it, and looks at it with both registries. */
  const collect = async (label: string, ...flags: readonly string[]): Promise<string> => {
    const directory = folder.join(label);
    await withRegistry("wharfinger", directory, async ({ http }) => {
      await http.push("app", "latest", replaced);
      for (const [repository, tag, image] of kept) await http.push(repository, tag, image);
      await http.push("app", signature.manifest.descriptor.digest, signature);
      await http.append(await http.startUpload("app"), noise(1000, 9));
      await http.push("emptied", "v1", tagged);
      await http.delete("emptied", "manifests", tagged.manifest.descriptor.digest);
    });
    const configuration = folder.join(`${label}.yml`);
    await writeFile(configuration, stringify(registryConfiguration(directory, 0)));
    await run("docker-registry", ["garbage-collect", ...flags, configuration]);
    for (const kind of ["wharfinger", "docker-registry"] as const) {
      await withRegistry(kind, directory, async ({ http }) => {
        for (const [repository, tag, image] of kept) await http.expectImage(repository, tag, image);
        assert.deepEqual(await http.tags("app"), ["latest", "v1"]);
      });
    }
    return directory;
  };

  test("leaves every image pullable from both, the untagged ones and signatures too", async () => {
    const directory = await collect("plain");
    await withRegistry("wharfinger", directory, async ({ http }) => {
      await http.expectImage("app", replaced.manifest.descriptor.digest, replaced);
      await http.expectImage("app", signature.manifest.descriptor.digest, signature);
      assert.equal((await http.referrers("app", tagged.manifest.descriptor.digest)).length, 1);
    });
  });

  test("told to delete untagged manifests, leaves every tagged image, and we list no referrer that is gone", async () => {
    const directory = await collect("untagged", "--delete-untagged");
    await withRegistry("wharfinger", directory, async ({ http }) => {
      for (const image of [replaced, signature]) {
        assert.equal(await http.statusOf("app", "manifests", image.manifest.descriptor.digest), 404);
      }
      assert.deepEqual(await http.referrers("app", tagged.manifest.descriptor.digest), []);
      await http.push("app", signature.manifest.descriptor.digest, signature);
      await http.expectImage("app", signature.manifest.descriptor.digest, signature);
      assert.equal((await http.referrers("app", tagged.manifest.descriptor.digest)).length, 1);
    });
  });

  test("finds nothing more to delete when it runs again", async () => {
    const directory = await collect("twice", "--delete-untagged");
    const configuration = folder.join("twice.yml");
    const said = await run("docker-registry", ["garbage-collect", "--delete-untagged", configuration]);
    assert.match(said, /0 blobs and 0 manifests eligible for deletion/);
    await withRegistry("wharfinger", directory, ({ http }) => http.expectImage("app", "v1", tagged));
  });
});
