import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { unlessDebian } from "../setup.ts";
import { artifactOf, type Image, imageOf, indexOf, layerOfArchive, noise } from "../support/image.ts";
import type { RegistryClient } from "../support/registry-client.ts";
import type { RegistryKind } from "../support/registry-process.ts";
import { AMD64, ARM64, bulkyImage } from "../support/samples.ts";
import { DIRECTIONS, openRegistry, type RunningRegistry } from "../support/swap.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";

describe("both registries over one directory at the same time", { skip: unlessDebian("docker-registry") }, () => {
  let folder: TemporaryFolder;
  let running: Readonly<Record<RegistryKind, RunningRegistry>>;
  before(async () => {
    folder = await temporaryFolder("side-by-side");
    running = {
      wharfinger: await openRegistry("wharfinger", folder.join("registry")),
      "docker-registry": await openRegistry("docker-registry", folder.join("registry")),
    };
  });
  after(async () => {
    for (const registry of Object.values(running)) await registry[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  for (const [first, second] of DIRECTIONS) {
    const clients = (): readonly [RegistryClient, RegistryClient] => [running[first].http, running[second].http];

    test(`what ${first} acknowledged is in ${second} at once`, async () => {
      const [writer, reader] = clients();
      for (let seed = 0; seed < 20; seed += 1) {
        const image = bulkyImage(1000, 100 + seed);
        await writer.push(`at-once/${first}`, `v${seed}`, image);
        await reader.expectImage(`at-once/${first}`, `v${seed}`, image);
      }
      assert.equal((await reader.tags(`at-once/${first}`)).length, 20);
      assert.ok((await reader.catalog()).includes(`at-once/${first}`));
    });

    test(`a tag that ${first} moves is moved in ${second}, which has just read it`, async () => {
      const [writer, reader] = clients();
      for (let seed = 0; seed < 20; seed += 1) {
        const image = bulkyImage(100, 200 + seed);
        await writer.push(`moving/${first}`, "latest", image);
        await reader.expectManifest(`moving/${first}`, "latest", image.manifest);
      }
    });

    test(`a manifest that ${first} deletes by digest is gone from ${second}, which has just read it, with its tags`, async () => {
      const [deleter, reader] = clients();
      const repository = `deleted/${first}`;
      const [kept, gone] = [bulkyImage(100, 1), bulkyImage(100, 2)];
      await reader.push(repository, "kept", kept);
      for (const tag of ["gone", "gone-too"]) await reader.push(repository, tag, gone);
      await reader.expectImage(repository, "gone", gone);
      await deleter.delete(repository, "manifests", gone.manifest.descriptor.digest);
      for (const reference of ["gone", "gone-too", gone.manifest.descriptor.digest]) {
        assert.equal(await reader.statusOf(repository, "manifests", reference), 404);
      }
      assert.deepEqual(await reader.tags(repository), ["kept"]);
      await reader.expectImage(repository, "kept", kept);
    });

    test(`a blob that ${first} deletes is gone from ${second}, and can be pushed there again`, async () => {
      const [deleter, reader] = clients();
      const repository = `blobs/${first}`;
      const layer = layerOfArchive(noise(5000, 5), "none");
      await reader.pushBlob(repository, layer);
      await reader.expectBlob(repository, layer);
      await deleter.delete(repository, "blobs", layer.descriptor.digest);
      assert.equal(await reader.statusOf(repository, "blobs", layer.descriptor.digest), 404);
      await reader.pushBlob(repository, layer);
      await deleter.expectBlob(repository, layer);
    });

    test(`${second} mounts a blob of a repository that ${first} made`, async () => {
      const [writer, mounter] = clients();
      const layer = layerOfArchive(noise(5000, 6), "none");
      await writer.pushBlob(`mount/from-${first}`, layer);
      const query = new URLSearchParams({ mount: layer.descriptor.digest, from: `mount/from-${first}` });
      const path = `mount/into-${second}/blobs/uploads/?${query}`;
      assert.equal((await mounter.request(path, { method: "POST" })).status, 201);
      await writer.expectBlob(`mount/into-${second}`, layer);
    });

    test(`${second} completes an index whose images ${first} holds`, async () => {
      const [writer, completer] = clients();
      const [amd64, arm64] = [bulkyImage(300, 31), bulkyImage(300, 32)];
      const index = indexOf([
        [amd64, AMD64],
        [arm64, ARM64],
      ]);
      for (const image of [amd64, arm64]) await writer.push(`index/${first}`, image.manifest.descriptor.digest, image);
      await completer.putManifest(`index/${first}`, "multi", index.manifest);
      await writer.expectImage(`index/${first}`, "multi", index);
    });
  }

  test("both push the same image at the same time, and it is whole", async () => {
    const image = imageOf([layerOfArchive(noise(4 * 2 ** 20, 9), "none")]);
    const pushes = Array.from({ length: 8 }, (_, i) => running[i % 2 === 0 ? "wharfinger" : "docker-registry"].http);
    // A repository each: within one, two requests of the old registry meet in a link file that is just being written.
    await Promise.all(pushes.map((http, i) => http.push(`same/image-${i}`, "v1", image)));
    for (const { http } of Object.values(running)) {
      for (const i of pushes.keys()) await http.expectImage(`same/image-${i}`, "v1", image);
    }
  });

  test("a tag that we delete is gone from the old registry, and its image is not", async () => {
    const [ours, old] = [running.wharfinger.http, running["docker-registry"].http];
    const image = bulkyImage(100, 35);
    for (const tag of ["kept", "gone"]) await old.push("untagged", tag, image);
    await ours.delete("untagged", "manifests", "gone");
    assert.equal(await old.statusOf("untagged", "manifests", "gone"), 404);
    assert.deepEqual(await old.tags("untagged"), ["kept"]);
    await old.expectImage("untagged", "kept", image);
  });

  test("what is stored is found while the old registry writes its links again", async () => {
    const [ours, old] = [running.wharfinger.http, running["docker-registry"].http];
    const image = bulkyImage(100, 36);
    const [, layer] = image.blobs;
    await old.push("again", "v1", image);
    let rewriting = true;
    const rewritten = (async () => {
      for (let i = 0; i < 60; i += 1) await old.push("again", "v1", image).catch(() => {});
      rewriting = false;
    })();
    const answers = new Set<number>();
    while (rewriting) {
      answers.add(await ours.statusOf("again", "manifests", "v1"));
      answers.add(await ours.statusOf("again", "manifests", image.manifest.descriptor.digest));
      answers.add(await ours.statusOf("again", "blobs", layer?.descriptor.digest ?? ""));
    }
    await rewritten;
    assert.deepEqual([...answers], [200]);
  });

  test("referrers that the old registry stored and deleted are listed and gone, whenever they came", async () => {
    const [ours, old] = [running.wharfinger.http, running["docker-registry"].http];
    const subject = bulkyImage(100, 41);
    const artifacts = [1, 2, 3].map((seed) => artifactOf(subject, `application/vnd.example.${seed}`, noise(50, seed)));
    const listed = async (): Promise<readonly string[]> => digestsOf(await ours.referrers("signed", subjectDigest));
    const subjectDigest = await old.push("signed", "v1", subject);
    assert.deepEqual(await listed(), []);
    for (const [i, artifact] of artifacts.entries()) {
      await (i === 1 ? ours : old).push("signed", artifact.manifest.descriptor.digest, artifact);
      assert.deepEqual(await listed(), sortedDigests(artifacts.slice(0, i + 1)));
    }
    await old.delete("signed", "manifests", artifacts[1]?.manifest.descriptor.digest ?? "");
    assert.deepEqual(await listed(), sortedDigests(artifacts.filter((_, i) => i !== 1)));
  });

  test("referrers that came while only the old registry ran are listed after our start", async () => {
    const subject = bulkyImage(100, 51);
    const artifact = artifactOf(subject, "application/vnd.example.late", noise(50, 4));
    const rootDirectory = folder.join("late");
    {
      await using old = await openRegistry("docker-registry", rootDirectory);
      await old.http.push("late", "v1", subject);
      await old.http.push("late", artifact.manifest.descriptor.digest, artifact);
    }
    await using ours = await openRegistry("wharfinger", rootDirectory);
    const listed = await ours.http.referrers("late", subject.manifest.descriptor.digest);
    assert.deepEqual(digestsOf(listed), sortedDigests([artifact]));
  });

  test("a registry that is read-only serves what the other stores meanwhile", async () => {
    const rootDirectory = folder.join("registry");
    const configuration = { storage: { maintenance: { readonly: { enabled: true } } } };
    await using reader = await openRegistry("wharfinger", rootDirectory, configuration);
    const image = bulkyImage(100, 61);
    await running["docker-registry"].http.push("read-only", "v1", image);
    await reader.http.expectImage("read-only", "v1", image);
    assert.equal((await reader.http.request("read-only/blobs/uploads/", { method: "POST" })).status, 405);
  });
});

function digestsOf(descriptors: readonly { readonly digest: string }[]): readonly string[] {
  return descriptors.map(({ digest }) => digest).sort();
}

function sortedDigests(images: readonly Image[]): readonly string[] {
  return digestsOf(images.map((image) => image.manifest.descriptor));
}
