import assert from "node:assert/strict";
import { chmod, writeFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { type Configuration, registryConfiguration, startRegistry } from "../support/registry-process.ts";
import { type Output, tryRun } from "../support/run.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const isRoot = process.getuid?.() === 0;

describe("what keeps the server from starting is told in one sentence:", () => {
  test("a busy port", async () => {
    await using folder = await temporaryFolder("start");
    await using registry = await startRegistry("wharfinger", { rootDirectory: folder.path });
    const output = await start(folder, registryConfiguration(folder.path, registry.port));
    expectFailure(output, /^cannot listen on 127\.0\.0\.1:\d+: another program uses this port; /);
  });

  test("a folder that this user may not write", async () => {
    await using folder = await temporaryFolder("start");
    await chmod(folder.path, 0o555);
    const output = await start(folder, registryConfiguration(folder.join("data"), 0), isRoot ? WITHOUT_RIGHTS : []);
    await chmod(folder.path, 0o755);
    expectFailure(output, /^filesystem: cannot use the root directory \S+: permission denied \(EACCES\)$/);
  });

  test("a value in the YAML that is none of those accepted, with file and line", async () => {
    await using folder = await temporaryFolder("start");
    const output = await start(folder, registryConfiguration(folder.path, 0, { log: { level: "loud" } }));
    expectFailure(output, /config\.yml:3: .*loud.*error, warn, info, debug/);
  });
});

test("times longer than Node can wait do not keep the server from starting and answering", async () => {
  await using folder = await temporaryFolder("start");
  const timeouts = { header: "720h", idle: "720h", body: "720h" };
  const configuration = { http: { draintimeout: "720h" }, wharfinger: { timeouts } };
  await using registry = await startRegistry("wharfinger", { rootDirectory: folder.path, configuration });
  assert.equal((await fetch(`${registry.url}/v2/`)).status, 200);
  assert.equal(await registry.stop(), 0);
  assert.doesNotMatch(registry.log, /Warning/);
});

/** Root passes every check of rights, unless it runs without its capabilities. */
const WITHOUT_RIGHTS = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"];

async function start(
  folder: TemporaryFolder,
  configuration: Configuration,
  prefix: readonly string[] = [],
): Promise<Output> {
  await using place = await temporaryFolder("start-config");
  const path = place.join("config.yml");
  await writeFile(path, stringify(configuration));
  const [command = "", ...args] = [...prefix, process.execPath, MAIN, "serve", path];
  return await tryRun(command, args, { cwd: folder.path });
}

function expectFailure({ exitCode, stderr }: Output, sentence: RegExp): void {
  assert.match(stderr.trimEnd(), sentence);
  assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
  assert.equal(exitCode, 1);
}
