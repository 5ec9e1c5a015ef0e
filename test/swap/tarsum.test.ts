import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { stringify } from "yaml";
import { digestOf } from "../../src/oci/digest.ts";
import { unlessDebian } from "../setup.ts";
import { imageOf, type Layer, layerOfArchive, noise } from "../support/image.ts";
import type { RegistryClient } from "../support/registry-client.ts";
import { registryConfiguration } from "../support/registry-process.ts";
import { run } from "../support/run.ts";
import { withRegistry } from "../support/swap.ts";
import { tarEntry, tarOf } from "../support/tar.ts";
import { tarsumByHand } from "../support/tarsum.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";

describe("layers that were pushed by their tarsum, in the old registry afterwards", {
  skip: unlessDebian("docker-registry"),
}, () => {
  let folder: TemporaryFolder;
  before(async () => {
    folder = await temporaryFolder("tarsum");
  });
  after(() => folder[Symbol.asyncDispose]());

  const [layer, stray] = [layerOf(1), layerOf(2)];
  const image = imageOf([layer]);

  test("are served by digest, and its catalogue, tags and collector work", async () => {
    const directory = folder.join("store");
    await withRegistry("wharfinger", directory, async ({ http }) => {
      for (const one of [layer, stray]) await pushByTarsum(http, one);
      await http.push("team/app", "v1", image);
      assert.equal(await http.statusOf("team/app", "blobs", tarsumOf(layer)), 200);
    });
    await withRegistry("docker-registry", directory, async ({ http }) => {
      for (const one of [layer, stray]) await http.expectBlob("team/app", one);
      await expectImage(http);
    });
    const configuration = folder.join("config.yml");
    await writeFile(configuration, stringify(registryConfiguration(directory, 0)));
    const said = await run("docker-registry", ["garbage-collect", configuration]);
    assert.match(said, new RegExp(`blob eligible for deletion: ${stray.descriptor.digest}`));
    await withRegistry("docker-registry", directory, async ({ http }) => expectImage(http));
    await withRegistry("wharfinger", directory, async ({ http }) => {
      await expectImage(http);
      await expectTarsum(http, layer);
      assert.equal(await http.statusOf("team/app", "blobs", tarsumOf(stray)), 404, "the collector took its bytes");
      await pushByTarsum(http, stray);
      await expectTarsum(http, stray);
    });
  });

  async function expectImage(http: RegistryClient): Promise<void> {
    await http.expectImage("team/app", "v1", image);
    assert.deepEqual(await http.catalog(), ["team/app"]);
    assert.deepEqual(await http.tags("team/app"), ["v1"]);
  }
});

function layerOf(seed: number): Layer {
  return layerOfArchive(tarOf([tarEntry({ name: "file" }, Buffer.from(noise(5000, seed)))]), "none");
}

function tarsumOf({ bytes }: Layer): string {
  return tarsumByHand(Buffer.from(bytes), "v1");
}

async function pushByTarsum(http: RegistryClient, layer: Layer): Promise<void> {
  const upload = await http.append(await http.startUpload("team/app"), layer.bytes);
  const location = `${upload.location}&digest=${encodeURIComponent(tarsumOf(layer))}`;
  const answer = await http.at({ ...upload, location }, { method: "PUT" });
  assert.equal(answer.status, 201, await answer.text());
  assert.equal(answer.headers.get("Docker-Content-Digest"), layer.descriptor.digest);
}

async function expectTarsum(http: RegistryClient, layer: Layer): Promise<void> {
  const answer = await http.request(`team/app/blobs/${tarsumOf(layer)}`);
  assert.equal(answer.status, 200);
  assert.equal(digestOf(await answer.bytes()), layer.descriptor.digest);
}
