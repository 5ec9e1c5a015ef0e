import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { unlessDebianRoot } from "../setup.ts";
import { Containerd } from "../support/containerd.ts";
import { describeTree, type FileTree } from "../support/file-tree.ts";
import { run } from "../support/run.ts";
import { openWorkplace, type Workplace } from "../support/workplace.ts";

describe("containerd", { skip: unlessDebianRoot("containerd", "ctr") }, () => {
  let place: Workplace;
  let containerd: Containerd;
  before(async () => {
    place = await openWorkplace();
    containerd = await Containerd.start(place.folder);
  });
  after(async () => {
    await containerd[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  });

  const name = (repository: string): string => `${place.registry.host}/${repository}`;
  const filesOf = async (image: string): Promise<FileTree> => {
    const folder = place.folder.join(`mounted-${crypto.randomUUID()}`);
    await mkdir(folder);
    await containerd.images("mount", image, folder);
    try {
      return await describeTree(folder);
    } finally {
      await run("umount", [folder]);
    }
  };

  for (const kind of ["oci", "docker", "zstd", "index", "dockerList"] as const) {
    test(`an image is pulled and unpacked: ${kind}`, async () => {
      const repository = `pulled/${kind.toLowerCase()}`;
      await place.http.push(repository, "v1", place.samples[kind]);
      await containerd.images("pull", name(`${repository}:v1`));
      assert.deepEqual(await filesOf(name(`${repository}:v1`)), place.samples.files);
    });
  }

  test("an index is pulled for all platforms and pushed elsewhere with the same digests", async () => {
    await place.http.push("multi", "v1", place.samples.index);
    await containerd.images("pull", "--all-platforms", name("multi:v1"));
    await containerd.images("push", name("elsewhere:v2"), name("multi:v1"));
    await place.http.expectImage("elsewhere", "v2", place.samples.index);
  });

  test("an image is pushed and pulled by its digest", async () => {
    const digest = await place.http.push("source", "v1", place.samples.docker);
    await containerd.images("pull", name(`source@${digest}`));
    await containerd.images("push", name("target:v1"), name(`source@${digest}`));
    await place.http.expectImage("target", "v1", place.samples.docker);
  });
});
