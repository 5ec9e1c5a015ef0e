import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { digestOf } from "../src/oci/digest.ts";
import { MediaType } from "../src/oci/media-types.ts";
import { freePort } from "./support/free-port.ts";
import type { Content } from "./support/image.ts";
import { RegistryClient } from "./support/registry-client.ts";
import { startRegistry } from "./support/registry-process.ts";
import { run, tryRun } from "./support/run.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

const ROOT = join(import.meta.dirname, "..");
const EXAMPLES = join(ROOT, "examples");
const MAIN = join(ROOT, "src", "main.ts");
const TYPE = "application/vnd.example.model.v1+json";

test("parts of one's own that are passed in store what they describe", async () => {
  const printed = await run(process.execPath, ["--conditions=source", join(EXAMPLES, "own-parts.ts")]);
  assert.equal(printed, `${TYPE} with 1000 bytes of weights\n`);
});

test("parts of one's own that a configuration names serve what they describe, with the errors of built-in ones", async () => {
  const port = await freePort();
  await using registry = await startRegistry("wharfinger", {
    rootDirectory: "in memory",
    configurationPath: join(EXAMPLES, "own-parts.yml"),
    port,
    env: { REGISTRY_HTTP_ADDR: `127.0.0.1:${port}` },
  });
  const client = new RegistryClient(registry.url);
  const weights = contentOf("application/octet-stream", Buffer.alloc(1000, "weights"));
  const model = modelOf(weights);
  const put = (manifest: Content): Promise<Response> =>
    client.request("models/small/manifests/v1", {
      method: "PUT",
      body: Buffer.from(manifest.bytes),
      headers: { "Content-Type": manifest.descriptor.mediaType },
    });

  await assertError(await put(model), 400, "MANIFEST_BLOB_UNKNOWN");
  await client.pushBlob("models/small", weights);
  assert.equal((await put(model)).status, 201);
  await client.expectManifest("models/small", "v1", model);
  await client.expectBlob("models/small", weights);
  await assertError(await put(contentOf(TYPE, Buffer.from('{"schemaVersion": 2}'))), 400, "MANIFEST_INVALID");
  await assertError(await client.request(`models/small/blobs/${digestOf(Buffer.of())}`), 404, "BLOB_UNKNOWN");

  const big = contentOf("application/octet-stream", Buffer.alloc(1_000_000));
  const upload = await client.startUpload("models/big");
  await assertError(await client.tryFinish(upload, big.descriptor.digest, big.bytes), 503, "UNAVAILABLE");
  assert.match(registry.log, /limited-memory: no space left on the storage/);
  await client.expectManifest("models/small", "v1", model);
});

test("a part that cannot be used stops the start with one sentence", async () => {
  await using folder = await temporaryFolder("own-parts");
  const config = folder.join("config.yml");
  await writeFile(folder.join("twice.js"), "export const manifestKind = { mediaTypes: ['a/b', 'a/b'], parse() {} };");
  await writeFile(folder.join("again.js"), 'export * from "./twice.js";');
  await writeFile(
    folder.join("oci.js"),
    `export const manifestKind = { mediaTypes: ["${MediaType.ociIndex}"], parse() {} };`,
  );
  for (const [configuration, sentence] of [
    ["storage: ./none.js", `module ./none.js: cannot be found from ${folder.path}`],
    [`storage: {${join(EXAMPLES, "limited-memory.ts")}: {limit: big}}`, /limit is big, but must be a number of bytes$/],
    [
      "storage: inmemory\nwharfinger: {manifestkinds: [./twice.js, ./again.js]}",
      "module ./again.js: has the media type a/b, which another kind of manifests has already",
    ],
    [
      "storage: inmemory\nwharfinger: {manifestkinds: [./oci.js]}",
      `module ./oci.js: has the media type ${MediaType.ociIndex}, which another kind of manifests has already`,
    ],
  ] as const) {
    const nowhere = `http: {net: unix, addr: ${config}}`; // whatever starts does not stay
    await writeFile(config, `version: 0.1\n${nowhere}\n${configuration}\n`);
    const { exitCode, stderr } = await tryRun(process.execPath, [MAIN, "serve", config], { cwd: ROOT });
    assert.equal(exitCode, 1);
    const [, said] = /^configuration error: (.*)\n$/.exec(stderr) ?? assert.fail(stderr);
    if (typeof sentence === "string") assert.equal(said, sentence);
    else assert.match(said ?? "", sentence);
  }
});

test("checking a configuration loads no part of one's own", async () => {
  await using folder = await temporaryFolder("own-parts");
  const config = folder.join("config.yml");
  await writeFile(config, "version: 0.1\nstorage: ./none.js\nwharfinger: {manifestkinds: [./none.js]}\n");
  const { exitCode, stderr } = await tryRun(process.execPath, [MAIN, "config", "check", config]);
  assert.deepEqual([exitCode, stderr], [0, ""]);
});

function contentOf(mediaType: string, bytes: Uint8Array): Content {
  return { bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length } };
}

function modelOf(...weights: readonly Content[]): Content {
  const document = { schemaVersion: 2, mediaType: TYPE, weights: weights.map(({ descriptor }) => descriptor) };
  return contentOf(TYPE, Buffer.from(JSON.stringify(document)));
}

async function assertError(answer: Response, status: number, code: string): Promise<void> {
  const text = await answer.text();
  assert.equal(answer.status, status, text);
  assert.equal(JSON.parse(text).errors[0].code, code);
}
