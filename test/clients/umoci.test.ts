import assert from "node:assert/strict";
import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { unlessDebian } from "../setup.ts";
import { describeTree } from "../support/file-tree.ts";
import { openWorkplace, type Workplace } from "../support/workplace.ts";

describe("umoci", { skip: unlessDebian("umoci", "skopeo") }, () => {
  let place: Workplace;
  before(async () => {
    place = await openWorkplace();
  });
  after(() => place[Symbol.asyncDispose]());

  const name = (repository: string): string => `docker://${place.registry.host}/${repository}`;
  const rootless = process.getuid?.() === 0 ? [] : ["--rootless"];

  test("an image pulled, unpacked, changed, repacked and pushed comes down with the change", async () => {
    await place.http.push("changed", "before", place.samples.oci);
    const [layout, bundle] = [place.folder.join("changed"), place.folder.join("changed-bundle")];
    await place.tools.skopeo("copy", name("changed:before"), `oci:${layout}:before`);
    await place.tools.umoci("unpack", ...rootless, "--image", `${layout}:before`, bundle);
    assert.deepEqual(await describeTree(`${bundle}/rootfs`), place.samples.files);
    await writeFile(`${bundle}/rootfs/odd/added-by-umoci`, "added\n");
    await symlink("added-by-umoci", `${bundle}/rootfs/odd/link-to-added`);
    await rm(`${bundle}/rootfs/plain.txt`);
    const expected = await describeTree(`${bundle}/rootfs`);
    await place.tools.umoci("repack", "--image", `${layout}:after`, bundle);
    await place.tools.skopeo("copy", `oci:${layout}:after`, name("changed:after"));
    assert.deepEqual(await place.tools.pullAndUnpack(name("changed:after").slice(9)), expected);
    assert.deepEqual(await place.http.tags("changed"), ["after", "before"]);
  });

  test("an image made by umoci from nothing goes up and comes down", async () => {
    const [layout, bundle] = [place.folder.join("made"), place.folder.join("made-bundle")];
    await place.tools.umoci("init", "--layout", layout);
    await place.tools.umoci("new", "--image", `${layout}:v1`);
    await place.tools.umoci("unpack", ...rootless, "--image", `${layout}:v1`, bundle);
    await mkdir(`${bundle}/rootfs/a/b`, { recursive: true });
    await writeFile(`${bundle}/rootfs/a/b/file`, "made\n");
    await place.tools.umoci("repack", "--image", `${layout}:v1`, bundle);
    await place.tools.skopeo("copy", `oci:${layout}:v1`, name("made:v1"));
    assert.deepEqual(await place.tools.pullAndUnpack(name("made:v1").slice(9)), await describeTree(`${bundle}/rootfs`));
  });
});
