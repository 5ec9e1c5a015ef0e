import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { openFilesystem } from "./filesystem.ts";

test("a listing that says more names what the other does, and follows links", async () => {
  await using folder = await temporaryFolder("listing");
  const temporary = `link.${randomUUID()}.tmp`;
  const tag = `v1.${randomUUID()}.tmp`;
  for (const name of ["folder", tag]) await mkdir(folder.join(name));
  for (const name of ["file", temporary]) await writeFile(folder.join(name), "x");
  for (const [name, target] of [
    ["to-folder", "folder"],
    ["to-file", "file"],
    ["to-nothing", "absent"],
  ] as const) {
    await symlink(target, folder.join(name));
  }
  const driver = await openFilesystem({ rootdirectory: folder.path });
  const children = await driver.listDetailed("/");
  assert.deepEqual(
    new Map(children.map(({ name, isDirectory }) => [name, isDirectory])),
    new Map(
      Object.entries({
        file: false,
        folder: true,
        "to-file": false,
        "to-folder": true,
        "to-nothing": false,
        [tag]: true,
      }),
    ),
  );
  assert.deepEqual((await driver.list("/")).sort(), children.map(({ name }) => name).sort());
});
