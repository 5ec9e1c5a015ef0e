import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { basic } from "./support/access-request.ts";
import { freePort } from "./support/free-port.ts";
import { RegistryClient } from "./support/registry-client.ts";
import { startRegistry } from "./support/registry-process.ts";
import { tryRun } from "./support/run.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

const ROOT = join(import.meta.dirname, "..");
const EXAMPLES = join(ROOT, "examples");
const MAIN = join(ROOT, "src", "main.ts");

test("an access controller of one's own decides over every request", async () => {
  const port = await freePort();
  await using registry = await startRegistry("wharfinger", {
    rootDirectory: "in memory",
    configurationPath: join(EXAMPLES, "team-access.yml"),
    port,
    env: { REGISTRY_HTTP_ADDR: `127.0.0.1:${port}` },
  });
  const client = new RegistryClient(registry.url);
  const begin = async (repository: string, authorization?: string): Promise<number> => {
    const headers = authorization === undefined ? {} : { authorization };
    return (await client.request(`${repository}/blobs/uploads/`, { method: "POST", headers })).status;
  };
  assert.equal((await client.request("")).status, 200);
  assert.equal((await client.request("web/a/tags/list")).status, 404);
  assert.equal(await begin("web/a"), 401);
  assert.equal(await begin("web/a", basic("web", "change-me")), 202);
  assert.equal(await begin("data/a", basic("web", "change-me")), 401);
  assert.equal(await begin("web/a", basic("web", "wrong")), 401);
  assert.match(registry.log, /error authorizing context: no key of the team/);
});

test("a module that has no access controller stops the start with one sentence", async () => {
  await using folder = await temporaryFolder("own-access");
  const config = folder.join("config.yml");
  await writeFile(folder.join("empty.js"), "export const nothing = 1;");
  await writeFile(
    folder.join("failing.js"),
    "export const openAccessController = () => { throw new Error('no key'); };",
  );
  await writeFile(folder.join("half.js"), "export const openAccessController = () => ({ name: 'half' });");
  for (const [auth, sentence] of [
    ["./none.js", `module ./none.js: cannot be found from ${folder.path}`],
    ["./empty.js", "module ./empty.js: exports no function openAccessController"],
    ["./failing.js", "module ./failing.js: openAccessController failed: no key"],
    [
      "./half.js",
      "module ./half.js: openAccessController gave no access controller: it lacks authorize, [Symbol.asyncDispose]",
    ],
    ["{htpasswd: {realm: r, path: /dev/null}}", `${config}:4: auth.htpasswd.path: /dev/null is no file`],
    [
      "{token: {realm: r, service: s, issuer: i, rootcertbundle: empty.js}}",
      `${config}:4: auth.token.rootcertbundle: ENOENT: no such file or directory, stat 'empty.js'`,
    ],
  ]) {
    await writeFile(config, `version: 0.1\nstorage: inmemory\nhttp: {net: unix, addr: ${config}}\nauth: ${auth}\n`);
    const { exitCode, stderr } = await tryRun(process.execPath, [MAIN, "serve", config], { cwd: ROOT });
    assert.deepEqual([exitCode, stderr], [1, `configuration error: ${sentence}\n`]);
  }
});
