import assert from "node:assert/strict";
import { symlink, utimes, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { canStamp } from "./driver.ts";
import { openFilesystem } from "./filesystem.ts";
import { stampsBelow } from "./filesystem-stamps.ts";
import { isSameStamp, toFileInfo } from "./stamp.ts";

test("a stamp says of files and folders what stat says", async (t) => {
  await using folder = await temporaryFolder("stamps");
  const driver = await openFilesystem({ rootdirectory: folder.path });
  if (!canStamp(driver)) return t.skip("the temporary folder lies on a file system without stamps");
  await driver.putContent("/folder/file", Buffer.from("bytes"));
  for (const path of ["/folder/file", "/folder", "/"]) {
    const stamp = driver.stampOf(path);
    assert.ok(stamp);
    assert.deepEqual(toFileInfo(stamp), await driver.stat(path));
  }
  for (const path of ["/nothing", "/folder/file/below"]) assert.equal(driver.stampOf(path), undefined);
});

test("a stamp is another one after a change that sets the time back", async (t) => {
  await using folder = await temporaryFolder("stamps");
  const takeStamp = await stampsBelow(folder.path);
  if (!takeStamp) return t.skip("the temporary folder lies on a file system without stamps");
  const file = folder.join("file");
  await writeFile(file, "old");
  await utimes(file, 1000, 1000);
  const before = takeStamp(file);
  assert.ok(before);
  await writeFile(file, "new");
  await utimes(file, 1000, 1000);
  // The clock goes in steps: the change is repeated until it has gone one.
  for (let after = before; isSameStamp(before, after); after = takeStamp(file) ?? before)
    await utimes(file, 1000, 1000);
  assert.equal(takeStamp(file)?.modified, before.modified);
});

test("what lies on another file system has no stamp, nor has one that is not of this machine", async (t) => {
  await using folder = await temporaryFolder("stamps");
  const takeStamp = await stampsBelow(folder.path);
  if (!takeStamp) return t.skip("the temporary folder lies on a file system without stamps");
  await symlink("/proc/self/status", folder.join("elsewhere"));
  assert.equal(takeStamp(folder.join("elsewhere")), undefined);
  assert.equal(await stampsBelow("/proc"), undefined);
});
