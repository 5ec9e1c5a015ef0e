import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { freePort } from "./support/free-port.ts";
import { type Image, imageOf, layerOfArchive } from "./support/image.ts";
import { RegistryClient } from "./support/registry-client.ts";
import { startRegistry } from "./support/registry-process.ts";
import { run, tryRun } from "./support/run.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

const ROOT = join(import.meta.dirname, "..");
const EXAMPLES = join(ROOT, "examples");
const MAIN = join(ROOT, "src", "main.ts");

test("a program of one's own puts its wrappers around its registry, storage and repositories itself", async () => {
  const printed = await run(process.execPath, ["--conditions=source", join(EXAMPLES, "wrapped.ts")]);
  const told = (name: string): string =>
    `${name}: the tag v1 is never changed: push under another one\n` +
    `${name}: the layer comes from blobs.example.com, the configuration from here\n`;
  assert.equal(printed, `${told("internal/tool")}${told("library/tool")}the catalogue has library/tool\n`);
});

test("middleware that a configuration names is around the storage, the registry and each repository", async () => {
  const port = await freePort();
  await using registry = await startRegistry("wharfinger", {
    rootDirectory: "in memory",
    configurationPath: join(EXAMPLES, "middleware.yml"),
    port,
    env: { REGISTRY_HTTP_ADDR: `127.0.0.1:${port}` },
  });
  const client = new RegistryClient(registry.url);
  const [first, second] = [image("1"), image("2")];
  for (const name of ["internal/tool", "library/tool"]) await client.push(name, "v1", first);

  assert.deepEqual(await client.catalog(), ["library/tool"]);
  await client.expectManifest("internal/tool", "v1", first.manifest);

  for (const blob of first.blobs) {
    const answer = await client.request(`library/tool/blobs/${blob.descriptor.digest}`);
    assert.equal(answer.status, blob.bytes.length < 1000 ? 200 : 307);
    if (answer.status === 307) assert.equal(new URL(answer.headers.get("location") ?? "").host, "blobs.example.com");
  }

  await client.push("library/tool", "latest", second);
  await client.push("library/tool", "v1", first);
  await assertDenied(put(client, "v1", second), "the tag v1 is never changed: push under another one");
  await assertDenied(client.request("library/tool/manifests/v1", { method: "DELETE" }), /^the tag v1 /);
  const revision = `library/tool/manifests/${first.manifest.descriptor.digest}`;
  await assertDenied(client.request(revision, { method: "DELETE" }), /^the tag v1 /);
  await client.expectManifest("library/tool", "v1", first.manifest);
  await client.delete("library/tool", "manifests", "latest");
  assert.deepEqual(await client.tags("library/tool"), ["v1"]);
});

test("middleware that cannot be used stops the start with one sentence", async () => {
  await using folder = await temporaryFolder("middleware");
  const config = folder.join("config.yml");
  await writeFile(folder.join("empty.js"), "export const nothing = 5;");
  for (const [middleware, sentence] of [
    ["{storage: [{name: ./empty.js}]}", "module ./empty.js: exports no function wrapDriver"],
    ["{registry: [{name: ./empty.js}]}", "module ./empty.js: exports no function wrapRegistry"],
    ["{repository: [{name: ./empty.js}]}", "module ./empty.js: exports no function wrapRepository"],
    [
      `{storage: [{name: ${join(EXAMPLES, "large-blobs.ts")}, options: {least: much}}]}`,
      `module ${join(EXAMPLES, "large-blobs.ts")}: wrapDriver failed: least is much, but must be a number of bytes`,
    ],
    [
      `{repository: [{name: ${join(EXAMPLES, "immutable-tags.ts")}, options: {pattern: "["}}]}`,
      `module ${join(EXAMPLES, "immutable-tags.ts")}: wrapRepository failed: Invalid regular expression: /[/: Unterminated character class`,
    ],
    [
      "{storage: [{name: nginx}]}",
      `${config}:4: middleware.storage[0].name is "nginx", but must be cloudfront, redirect, rewrite or the specifier of a module, such as ./middleware/audit.js`,
    ],
  ] as const) {
    const nowhere = `http: {net: unix, addr: ${config}}`; // whatever starts does not stay
    await writeFile(config, `version: 0.1\n${nowhere}\nstorage: inmemory\nmiddleware: ${middleware}\n`);
    const { exitCode, stderr } = await tryRun(process.execPath, [MAIN, "serve", config], { cwd: ROOT });
    assert.deepEqual([exitCode, stderr], [1, `configuration error: ${sentence}\n`]);
  }
});

test("CloudFront over a storage without a bucket is warned of, and blobs are sent from here", async () => {
  await using folder = await temporaryFolder("middleware");
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  await writeFile(folder.join("key.pem"), privateKey.export({ type: "pkcs1", format: "pem" }));
  const port = await freePort();
  const options = `{baseurl: cdn.test, privatekey: ${folder.join("key.pem")}, keypairid: K}`;
  await writeFile(
    folder.join("config.yml"),
    `version: 0.1\nstorage: inmemory\nhttp: {addr: "127.0.0.1:${port}"}\nmiddleware: {storage: [{name: cloudfront, options: ${options}}]}\n`,
  );
  const configurationPath = folder.join("config.yml");
  await using registry = await startRegistry("wharfinger", { rootDirectory: "", configurationPath, port });
  assert.match(registry.log, /the CloudFront middleware does not support this storage driver and does nothing/);
  const client = new RegistryClient(registry.url);
  await client.push("a", "v1", image("1"));
  await client.expectImage("a", "v1", image("1"));
});

function image(version: string): Image {
  return imageOf([layerOfArchive(Buffer.alloc(2000, "layer"), "none")], { annotations: { version } });
}

async function put(client: RegistryClient, tag: string, { manifest }: Image): Promise<Response> {
  return await client.request(`library/tool/manifests/${tag}`, {
    method: "PUT",
    body: Buffer.from(manifest.bytes),
    headers: { "Content-Type": manifest.descriptor.mediaType },
  });
}

async function assertDenied(answering: Promise<Response>, detail: string | RegExp): Promise<void> {
  const answer = await answering;
  assert.equal(answer.status, 403);
  const { errors } = (await answer.json()) as { errors: readonly { code: string; message: string; detail: string }[] };
  const [error] = errors;
  assert.deepEqual(
    [errors.length, error?.code, error?.message],
    [1, "DENIED", "requested access to the resource is denied"],
  );
  if (typeof detail === "string") assert.equal(error?.detail, detail);
  else assert.match(error?.detail ?? "", detail);
}
