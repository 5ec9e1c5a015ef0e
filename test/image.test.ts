import assert from "node:assert/strict";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { parseConfig } from "../src/config/load.ts";
import { run } from "./support/run.ts";
import { type TemporaryFolder, temporaryFolder } from "./support/temporary-folder.ts";

const PARTS = join(import.meta.dirname, "..", "build", "image");

describe("the entry point of the container image", () => {
  let folder: TemporaryFolder;
  before(async () => {
    folder = await temporaryFolder("entrypoint");
    await mkdir(folder.join("bin"));
    await writeFile(folder.join("bin/registry"), '#!/bin/sh\nprintf "<%s>" "$@"\n', { mode: 0o755 });
    await copyFile(join(PARTS, "entrypoint.sh"), folder.join("entrypoint.sh"));
  });
  after(() => folder[Symbol.asyncDispose]());

  const enter = (words: readonly string[], variables = {}): Promise<string> =>
    run("/bin/sh", [folder.join("entrypoint.sh"), ...words], {
      cwd: folder.path,
      env: { PATH: `${folder.join("bin")}:/usr/bin:/bin`, REGISTRY_CONFIGURATION_PATH: "", ...variables },
    });

  for (const [words, command] of [
    [["serve", "/etc/a b.yml"], "<serve></etc/a b.yml>"],
    [["/etc/mine.yml"], "<serve></etc/mine.yml>"],
    [["/etc/mine.yaml", "--no-default-config"], "<serve></etc/mine.yaml><--no-default-config>"],
    [["garbage-collect", "--dry-run", "/etc/a.yml"], "<garbage-collect><--dry-run></etc/a.yml>"],
    [["config", "check"], "<config><check>"],
    [["help"], "<help>"],
    [["--version"], "<--version>"],
    [["registry", "serve", "/etc/a.yml"], "<serve></etc/a.yml>"],
    [["sh", "-c", "echo free"], "free\n"],
  ] as const) {
    test(`takes ${words.join(" ")}`, async () => {
      assert.equal(await enter(words), command);
    });
  }

  test("serves the configuration that a variable names, where no other is asked for", async () => {
    const variables = { REGISTRY_CONFIGURATION_PATH: "/etc/named.yml" };
    assert.equal(await enter([], variables), "<serve></etc/named.yml>");
    assert.equal(await enter(["serve"], variables), "<serve></etc/named.yml>");
    assert.equal(await enter(["/etc/asked.yml"], variables), "<serve></etc/asked.yml>");
  });

  test("always names a configuration, so that none is built in by accident", async () => {
    assert.match(await enter([]), /^<serve><\/etc\/(distribution|docker\/registry)\/config\.yml>$/);
  });
});

test("the container image's configuration is that of the peers' images", async () => {
  const { config } = parseConfig(await readFile(join(PARTS, "config.yml"), "utf8"), "config.yml", {});
  const { log, storage, http, health } = config;
  assert.deepEqual(log.fields, { service: "registry" });
  assert.deepEqual(storage.driver.parameters["rootdirectory"], "/var/lib/registry");
  assert.equal(storage.cache.blobdescriptor, "inmemory");
  assert.deepEqual([http.addr, http.headers], [":5000", { "X-Content-Type-Options": ["nosniff"] }]);
  const { enabled, interval, threshold } = health.storagedriver;
  assert.deepEqual([enabled, interval, threshold], [true, 10_000, 3]);
});
