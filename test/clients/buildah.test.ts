import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { unlessDebianRoot } from "../setup.ts";
import { describeTree, type FileTree } from "../support/file-tree.ts";
import { run } from "../support/run.ts";
import { openWorkplace, type Workplace } from "../support/workplace.ts";

describe("buildah", { skip: unlessDebianRoot("buildah") }, () => {
  let place: Workplace;
  before(async () => {
    place = await openWorkplace();
  });
  after(() => place[Symbol.asyncDispose]());

  const name = (repository: string): string => `${place.registry.host}/${repository}`;
  const line = async (output: Promise<string>): Promise<string> => (await output).trim();
  /** Pulls into an empty store. */
  const filesOf = async (image: string): Promise<FileTree> => {
    await place.tools.buildah("rm", "--all");
    await place.tools.buildah("rmi", "--all", "--force");
    const container = await line(place.tools.buildahTransfer("from", image));
    return describeTree(await line(place.tools.buildah("mount", container)));
  };

  for (const format of ["oci", "docker"]) {
    test(`an image built from scratch has every file as it was after push and pull: ${format}`, async () => {
      const container = await line(place.tools.buildah("from", "scratch"));
      await place.tools.buildah("copy", container, place.folder.join("whole"), "/");
      const built = await describeTree(await line(place.tools.buildah("mount", container)));
      const image = name(`built/${format}:v1`);
      await place.tools.buildahTransfer("commit", "--quiet", "--format", format, container, image);
      await place.tools.buildahTransfer("push", "--quiet", image);
      assert.deepEqual(await filesOf(image), built);
    });
  }

  test("an image of the registry gets a file and is pushed under another name", async () => {
    await place.http.push("base", "v1", place.samples.oci);
    const container = await line(place.tools.buildahTransfer("from", name("base:v1")));
    const folder = await line(place.tools.buildah("mount", container));
    assert.deepEqual(await describeTree(folder), place.samples.files);
    await run("cp", ["--archive", place.folder.join("base/plain.txt"), `${folder}/one-more`]);
    await place.tools.buildahTransfer("commit", "--quiet", container, `docker://${name("derived:v1")}`);
    const expected = await describeTree(folder);
    assert.deepEqual(await filesOf(name("derived:v1")), expected);
  });
});
