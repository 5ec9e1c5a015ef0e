import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Digest } from "../../src/oci/digest.ts";
import { sizeOf } from "../faults/uploads.ts";
import { unlessDebian } from "../setup.ts";
import { ContainerTools } from "../support/container-tools.ts";
import { contentOf, type Image, noise } from "../support/image.ts";
import { ANSWERED_BY } from "../support/nginx.ts";
import { type Nodes, openNodes } from "../support/nodes.ts";
import { writeOciLayout } from "../support/oci-layout.ts";
import { type Fetch, RegistryClient } from "../support/registry-client.ts";
import { bulkyImage, makeSamples } from "../support/samples.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { unlessGateway } from "../support/versitygw.ts";

const MIB = 2 ** 20;
const SKIP = unlessGateway() || unlessDebian("nginx", "redis-server", "skopeo", "umoci");

for (const cache of ["redis", "inmemory"] as const) {
  describe(`two nodes behind nginx, with caches of the kind ${cache}`, { skip: SKIP }, () => {
    let nodes: Nodes;
    before(async () => {
      nodes = await openNodes(cache);
    });
    after(() => nodes[Symbol.asyncDispose]());

    test("take real images from skopeo and give them back, and each node has them whole", async () => {
      await using folder = await temporaryFolder("nodes");
      const [tools, samples] = [await ContainerTools.create(folder), await makeSamples(folder.path)];
      const { oci, zstd, index } = samples;
      await writeOciLayout(folder.join("samples"), { oci, zstd, index });
      for (const [tag, image] of Object.entries({ oci, zstd, index })) {
        const name = `docker://${nodes.nginx.host}/real/images:${tag}`;
        await tools.skopeo("copy", "--all", `oci:${folder.join("samples")}:${tag}`, name);
        for (const http of nodes.direct) await http.expectImage("real/images", tag, image);
        await tools.skopeo("copy", "--all", name, `dir:${folder.join(tag)}`);
      }
      const hosts = [nodes.nginx, ...nodes.members].map(({ host }) => host);
      for (const host of hosts) {
        assert.deepEqual(await tools.pullAndUnpack(`${host}/real/images:oci`), samples.files);
      }
    });

    test("take the requests of one upload in turn, and its offsets go on", async () => {
      const answers: string[] = [];
      const http = new RegistryClient(nodes.nginx.url, noting(answers));
      for (const [round, cut] of [1000, 4 * MIB, 6 * MIB].entries()) {
        const layer = contentOf(noise(4 * cut, 300 + round), "application/octet-stream");
        let upload = await http.startUpload("in/turn");
        for (let sent = 0; sent < layer.bytes.length; sent += cut) {
          upload = await http.append(upload, layer.bytes.subarray(sent, sent + cut));
          assert.equal(sizeOf(upload), sent + cut);
        }
        await http.finishUpload(upload, layer.descriptor.digest);
        for (const direct of nodes.direct) await direct.expectBlob("in/turn", layer);
      }
      const [first, second] = nodes.members.map(({ host }) => host);
      const begun = answers[0] === first ? [first, second] : [second, first];
      assert.deepEqual(
        answers,
        answers.map((_, index) => begun[index % 2]),
      );
    });

    for (const deleter of [0, 1]) {
      test(`see at the other what node ${deleter + 1} deletes, ${cache === "redis" ? "all of it" : "tags"} at once`, async () => {
        const repository = `deleted/by-${deleter}`;
        const [here, there] = deleter === 0 ? nodes.direct : nodes.direct.toReversed();
        assert.ok(here && there);
        const image = bulkyImage(1000, 40 + deleter);
        const [layer, manifest] = [layerOf(image), image.manifest.descriptor.digest];
        for (const tag of ["kept", "gone"]) await there.push(repository, tag, image);
        for (const http of [here, there]) await lookAtAll(http, repository, image);
        await here.delete(repository, "manifests", "gone");
        for (const http of [here, there]) {
          assert.equal(await http.statusOf(repository, "manifests", "gone"), 404);
          assert.deepEqual(await http.tags(repository), ["kept"]);
          await http.expectImage(repository, "kept", image);
        }
        await here.delete(repository, "blobs", layer);
        await refuseManifest(there, repository, image);
        await here.delete(repository, "manifests", manifest);
        for (const http of cache === "redis" ? [here, there] : [here]) {
          assert.equal(await http.statusOf(repository, "blobs", layer), 404);
          assert.equal(await http.statusOf(repository, "manifests", manifest), 404);
          assert.equal(await http.statusOf(repository, "manifests", "kept"), 404);
        }
        await there.push(repository, "again", image);
        for (const http of [here, there]) await http.expectImage(repository, "again", image);
      });
    }
  });
}

describe("two nodes with different secrets", { skip: SKIP }, () => {
  test("tell a client so that comes to the other with its upload, and go on at the first", async () => {
    await using nodes = await openNodes("inmemory", [{}, { http: { secret: "another one" } }]);
    const [first, second] = nodes.direct;
    assert.ok(first && second);
    const layer = contentOf(noise(3000, 9), "application/octet-stream");
    const upload = await first.append(await first.startUpload("a"), layer.bytes.subarray(0, 1000));
    const refused = [
      await second.at(upload, { method: "PATCH", body: "more" }),
      await second.tryFinish(upload, layer.descriptor.digest),
      await second.at(upload, { method: "DELETE" }),
    ];
    for (const answer of refused) {
      assert.equal(answer.status, 404); // as the peers
      assert.match(await answer.text(), /BLOB_UPLOAD_INVALID.*invalid secret/);
    }
    assert.equal(sizeOf(await first.uploadStatus(upload)), 1000);
    await first.finishUpload(upload, layer.descriptor.digest, layer.bytes.subarray(1000));
    for (const http of nodes.direct) await http.expectBlob("a", layer);
  });
});

function noting(answers: string[]): Fetch {
  return async (url, init) => {
    const answer = await fetch(url, init);
    answers.push(answer.headers.get(ANSWERED_BY) ?? "");
    return answer;
  };
}

function layerOf({ blobs }: Image): Digest {
  const layer = blobs.at(-1);
  assert.ok(layer);
  return layer.descriptor.digest;
}

/** So that every cache has it. */
async function lookAtAll(http: RegistryClient, repository: string, image: Image): Promise<void> {
  for (let round = 0; round < 2; round += 1) {
    await http.expectImage(repository, "gone", image);
    await http.expectManifest(repository, image.manifest.descriptor.digest, image.manifest);
    for (const { descriptor } of image.blobs) {
      assert.equal(await http.statusOf(repository, "blobs", descriptor.digest), 200);
    }
  }
}

/** Whatever a cache still says, a push is not told that a deleted layer is there. */
async function refuseManifest(http: RegistryClient, repository: string, image: Image): Promise<void> {
  const layer = layerOf(image);
  const mount = await http.request(`${repository}/elsewhere/blobs/uploads/?mount=${layer}&from=${repository}`, {
    method: "POST",
  });
  assert.equal(mount.status, 202);
  const answer = await http.request(`${repository}/manifests/again`, {
    method: "PUT",
    body: Buffer.from(image.manifest.bytes),
    headers: { "Content-Type": image.manifest.descriptor.mediaType },
  });
  assert.equal(answer.status, 400);
  assert.match(await answer.text(), new RegExp(`MANIFEST_BLOB_UNKNOWN.*${layer}`));
}
