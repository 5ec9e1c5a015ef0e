import assert from "node:assert/strict";
import { chmod, cp, link, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { applyLayer, describeTree, writeOddities } from "./file-tree.ts";
import { run } from "./run.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** Each changes one thing that a faulty round trip could change. */
const CHANGES: Readonly<Record<string, (root: string) => Promise<unknown>>> = {
  "a mode": (root) => chmod(`${root}/odd/set-user-id`, 0o755),
  "a folder's mode": (root) => chmod(`${root}/shared-folder`, 0o777),
  "a content of the same length": (root) => writeFile(`${root}/odd/plain.txt`, "BELOW a folder\n"),
  "a missing folder": (root) => rm(`${root}/empty-folder`, { recursive: true }),
  "an additional file": (root) => writeFile(`${root}/odd/more`, ""),
  "a link's target": async (root) => {
    await rm(`${root}/dangling-link`);
    await symlink("/no/such/aim", `${root}/dangling-link`);
  },
  "a hard link that became a copy": async (root) => {
    await rm(`${root}/odd/hard-link`);
    await cp(`${root}/plain.txt`, `${root}/odd/hard-link`);
  },
  "a copy that became a hard link": async (root) => {
    await rm(`${root}/empty`);
    await link(`${root}/plain.txt`, `${root}/empty`);
  },
  "a fifo that became a file": async (root) => {
    await rm(`${root}/a-fifo`);
    await writeFile(`${root}/a-fifo`, "", { mode: 0o640 });
  },
};

for (const [name, change] of Object.entries(CHANGES)) {
  test(`a description of a file tree shows ${name}`, async () => {
    await using folder = await temporaryFolder("tree");
    await mkdir(folder.join("before"));
    await writeOddities(folder.join("before"));
    await run("cp", ["--archive", folder.join("before"), folder.join("after")]);
    const before = await describeTree(folder.join("before"));
    assert.deepEqual(await describeTree(folder.join("after")), before);
    await change(folder.join("after"));
    assert.notDeepEqual(await describeTree(folder.join("after")), before);
  });
}

test("a layer laid over a tree adds, changes and removes", async () => {
  await using folder = await temporaryFolder("tree");
  for (const [path, content] of [
    ["base/kept", "1"],
    ["base/changed", "1"],
    ["base/below/removed", "1"],
    ["layer/changed", "22"],
    ["layer/below/.wh.removed", ""],
    ["layer/added", "333"],
  ] as const) {
    await mkdir(folder.join(path, ".."), { recursive: true });
    await writeFile(folder.join(path), content);
  }
  await applyLayer(folder.join("base"), folder.join("layer"), folder.join("whole"));
  const tree = await describeTree(folder.join("whole"));
  assert.deepEqual(Object.keys(tree), ["added", "below", "changed", "kept"]);
  assert.match(tree["changed"] ?? "", /^file \d+ 2 /);
});
