import assert from "node:assert/strict";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { imageOf, layerOfArchive, noise } from "../support/image.ts";
import { type Configuration, startRegistry } from "../support/registry-process.ts";
import { run } from "../support/run.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { KIB, MIB } from "./form.ts";
import { smallDisk } from "./small-disk.ts";
import { clientOf } from "./uploads.ts";

const image = imageOf([layerOfArchive(noise(100 * KIB, 1), "none")]);
const NO_SECRET = { http: { secret: "" } };
const READ_ONLY = { storage: { maintenance: { readonly: { enabled: true } } }, ...NO_SECRET };
const WARNING = /level=warning msg="No HTTP secret provided/;

describe("a storage mounted read-only", { skip: process.getuid?.() !== 0 && "only root can mount a disk" }, () => {
  test("is served where the configuration says read-only, without a word about a secret", async (t) => {
    await using disk = await smallDisk(8 * MIB);
    if (disk === undefined) return t.skip("a disk cannot be mounted here");
    await using writable = await startRegistry("wharfinger", { rootDirectory: disk.path });
    await clientOf(writable).push("a/b", "tag", image);
    await writable.stop();
    await run("mount", ["-o", "remount,ro", disk.path]);

    await using registry = await startRegistry("wharfinger", { rootDirectory: disk.path, configuration: READ_ONLY });
    const http = clientOf(registry);
    await http.expectImage("a/b", "tag", image);
    assert.deepEqual(await http.tags("a/b"), ["tag"]);
    for (const path of ["_catalog", `a/b/referrers/${image.manifest.descriptor.digest}`]) {
      assert.equal((await http.request(path)).status, 200, path);
    }
    assert.equal((await http.request("a/b/blobs/uploads/", { method: "POST" })).status, 405);
    assert.equal(await registry.stop(), 0);
    assert.doesNotMatch(registry.log, /level=(?:warning|error)/);
  });

  test("is refused where the configuration does not say so", async (t) => {
    await using disk = await smallDisk(MIB);
    if (disk === undefined) return t.skip("a disk cannot be mounted here");
    await run("mount", ["-o", "remount,ro", disk.path]);
    await assert.rejects(
      startRegistry("wharfinger", { rootDirectory: disk.path }),
      /filesystem: cannot use the root directory \S+: read-only file system \(EROFS\)/,
    );
  });
});

describe("the secret of uploads", () => {
  test("is not kept where nothing can be uploaded", async () => {
    await using folder = await temporaryFolder("read-only");
    await using registry = await startRegistry("wharfinger", { rootDirectory: folder.path, configuration: READ_ONLY });
    await registry.stop();
    assert.doesNotMatch(registry.log, WARNING);
    assert.deepEqual(await readdir(folder.path), []);
  });

  test("is a random one, with a warning that names the file, where it cannot be kept", async () => {
    await using folder = await temporaryFolder("read-only");
    const file = folder.join("file");
    await writeFile(file, "");
    const configuration: Configuration = { ...NO_SECRET, wharfinger: { datadir: join(file, "below") } };
    await using registry = await startRegistry("wharfinger", { rootDirectory: folder.join("data"), configuration });
    await registry.stop();
    assert.match(registry.log, WARNING);
    assert.ok(registry.log.includes(join(file, "below")), registry.log);
  });
});
