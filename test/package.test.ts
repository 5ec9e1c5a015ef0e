import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, join, sep } from "node:path";
import { describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { digestOf } from "../src/oci/digest.ts";
import { basic } from "./support/access-request.ts";
import { freePort } from "./support/free-port.ts";
import { RegistryClient } from "./support/registry-client.ts";
import { run, tryRun } from "./support/run.ts";
import { ServerProcess } from "./support/server-process.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

const ROOT = join(import.meta.dirname, "..");

/** The machine's own programs: without those of npm, whose Node is the newer one. */
const PATH = (process.env["PATH"] ?? "")
  .split(delimiter)
  .filter((folder) => !folder.includes(`${sep}node_modules${sep}`))
  .join(delimiter);

/** Nothing of these processes counts as coverage, and none of them takes itself for a test. */
const ENV = { PATH, NODE_V8_COVERAGE: "", NODE_TEST_CONTEXT: "" };

describe("the npm package", () => {
  test("installed into an empty folder, serves on the machine's own Node, and is a library for Node 26", async () => {
    await using folder = await temporaryFolder("package");
    const command = await install(folder.path);
    const port = await freePort();
    await using server = new ServerProcess(command, ["serve", "--no-default-config"], {
      ...ENV,
      REGISTRY_HTTP_ADDR: `127.0.0.1:${port}`,
      REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY: folder.join("data"),
    });
    await server.says(/listening on/i);
    const client = new RegistryClient(`http://127.0.0.1:${port}`);

    assert.equal((await client.request("")).status, 200);
    await pushAndPull(client);
    assert.equal(await server.stop(), 0, server.log);

    const example = await readFile(join(ROOT, "examples", "without-http.ts"), "utf8");
    const printed = await run(process.execPath, ["--input-type=module-typescript", "-e", example], {
      cwd: folder.join("installed"),
      env: ENV,
    });
    assert.match(printed, /^library\/hello:v1 is /);
    assert.equal(await hashInThread(folder.join("installed")), digestOf(Buffer.from("wharf")).slice("sha256:".length));

    await serveOwnParts(command, folder.join("elsewhere"));
    await servePasswords(command, folder.join("htpasswd"));
  });

  test("says which Node it needs where an older one finds no newer beside it", async (t) => {
    if (Number.parseInt(await run("node", ["-p", "process.versions.node"], { env: ENV }), 10) >= 26) {
      return t.skip("the machine's own Node is no older one");
    }
    await using folder = await temporaryFolder("command");
    await copyFile(join(ROOT, "bin", "wharfinger.js"), folder.join("wharfinger.mjs"));
    const { exitCode, stderr } = await tryRun("node", [folder.join("wharfinger.mjs")], { env: ENV });
    assert.match(stderr, /^wharfinger needs Node 26 or newer and this is [\d.]+: .+\n$/);
    assert.equal(exitCode, 1);
  });
});

/** @returns the path of the installed command */
async function install(folder: string): Promise<string> {
  await run("npm", ["pack", "--pack-destination", folder], { cwd: ROOT });
  const { version } = JSON.parse(await run("npm", ["pkg", "get", "name", "version"], { cwd: ROOT }));
  const installed = join(folder, "installed");
  await mkdir(installed);
  await writeFile(join(installed, "package.json"), "{}");
  const tarball = join(folder, `wharfinger-${version}.tgz`);
  await run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", tarball], { cwd: installed, env: ENV });
  assert.ok(existsSync(join(installed, "node_modules", ".bin", "registry")), "the command registry is missing");
  return join(installed, "node_modules", ".bin", "wharfinger");
}

/** As uploads to a bucket are hashed. Threads are started by the name of a file, which no compiler sees. */
async function hashInThread(installed: string): Promise<string> {
  const module = pathToFileURL(join(installed, "node_modules/wharfinger/dist/registry/thread-hashing.js"));
  const script = `
    const { ThreadHashing } = await import("${module}");
    await using hashing = new ThreadHashing(console.error);
    const hash = hashing.start("sha256");
    await hash.update(Buffer.from("wharf"));
    process.stdout.write((await hash.rest())?.hex ?? "nothing");`;
  return await run(process.execPath, ["--input-type=module", "-e", script], { env: ENV });
}

/** Parts from a folder where no package is installed, with errors that the registry knows by their classes. */
async function serveOwnParts(command: string, folder: string): Promise<void> {
  await mkdir(folder);
  for (const name of ["own-parts.yml", "limited-memory.ts", "model-manifest.ts"]) {
    await copyFile(join(ROOT, "examples", name), join(folder, name));
  }
  const port = await freePort();
  const env = { ...ENV, REGISTRY_HTTP_ADDR: `127.0.0.1:${port}` };
  await using server = new ServerProcess(command, ["serve", join(folder, "own-parts.yml")], env);
  await server.says(/listening on/i);
  const client = new RegistryClient(`http://127.0.0.1:${port}`);
  await pushAndPull(client);
  assert.equal(await client.statusOf("a/b", "blobs", digestOf(Buffer.of())), 404, server.log);
}

/** They are compared in a thread, which is a file of its own. */
async function servePasswords(command: string, path: string): Promise<void> {
  const port = await freePort();
  await using server = new ServerProcess(command, ["serve", "--no-default-config"], {
    ...ENV,
    REGISTRY_HTTP_ADDR: `127.0.0.1:${port}`,
    REGISTRY_STORAGE: "inmemory",
    REGISTRY_AUTH: `{htpasswd: {realm: r, path: ${JSON.stringify(path)}}}`,
  });
  await server.says(/listening on/i);
  const [, password = ""] = /provisioning with default user.*password="?([\w-]+)/.exec(server.log) ?? [];
  const client = new RegistryClient(`http://127.0.0.1:${port}`);
  const statusOf = async (sent: string): Promise<number> =>
    (await client.request("", { headers: { authorization: basic("docker", sent) } })).status;
  assert.deepEqual([await statusOf(password), await statusOf("wrong")], [200, 401], server.log);
}

/** In two parts, so that the running hash is used as well. */
async function pushAndPull(client: RegistryClient): Promise<void> {
  const bytes = Buffer.alloc(100_000, "wharf");
  const digest = digestOf(bytes);
  const upload = await client.append(await client.startUpload("a/b"), bytes.subarray(0, 60_000));
  await client.finishUpload(upload, digest, bytes.subarray(60_000));
  await client.expectBlob("a/b", { bytes, descriptor: { mediaType: "text/plain", digest, size: bytes.length } });
}
