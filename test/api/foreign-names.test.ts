import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { purgeUploads } from "../../src/maintenance/upload-purge.ts";
import { PathMapper } from "../../src/registry/paths.ts";
import { openFilesystem } from "../../src/storage/filesystem.ts";
import { startApi } from "../support/api.ts";
import { json, pushImage, startUpload } from "../support/api-content.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

test("files and folders that others put between the repositories disturb neither the catalogue nor the purge", async () => {
  await using folder = await temporaryFolder("foreign");
  const driver = await openFilesystem({ rootdirectory: folder.path });
  await using api = await startApi(driver);
  await pushImage(api, "a/b");
  await startUpload(api, "a/b");
  const repositories = folder.join("docker", "registry", "v2", "repositories");
  for (const name of ["lost+found", "@eaDir", "a b", "a/sub~", "x,y"]) mkdirSync(join(repositories, name));
  for (const name of ["a file", "plain", "a/.DS_Store"]) writeFileSync(join(repositories, name), "");
  symlinkSync("loop", join(repositories, "loop"));
  assert.deepEqual(json(await api.send("GET", "/v2/_catalog")), { repositories: ["a/b"] });
  const report = await purgeUploads(
    { driver, paths: new PathMapper() },
    { age: -60_000, dryRun: false, now: Date.now() },
  );
  assert.deepEqual(report, { deleted: 1, errors: [] });
});
