import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { digestOf } from "../../src/oci/digest.ts";
import { MediaType } from "../../src/oci/media-types.ts";
import { unlessDebian } from "../setup.ts";
import { type EventReceiver, startReceiver } from "../support/event-receiver.ts";
import { contentOf, type Image, imageOf, indexOf, layerOfArchive, noise } from "../support/image.ts";
import type { RegistryClient } from "../support/registry-client.ts";
import type { RegistryKind } from "../support/registry-process.ts";
import { AMD64 } from "../support/samples.ts";
import { ecSigner, schema1Fields, signedFixture } from "../support/schema1-fixture.ts";
import { openRegistry } from "../support/swap.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** What clients do, and how many events 2.8.2 sends of it. */
const STEPS: readonly (readonly [what: string, events: number, work: (http: RegistryClient) => Promise<unknown>])[] = [
  ["push an image by tag", 3, (http) => http.push("n/one", "v1", IMAGE)],
  ["push a list", 4, (http) => http.push("n/one", "list", LIST)],
  ["push a manifest of OCI by digest", 3, (http) => http.push("n/oci", OCI.manifest.descriptor.digest, OCI)],
  ["pull by tag", 1, (http) => http.expectManifest("n/one", "v1", IMAGE.manifest)],
  ["pull by digest", 1, (http) => http.expectManifest("n/one", IMAGE.manifest.descriptor.digest, IMAGE.manifest)],
  ["look at a tag", 1, (http) => http.statusOf("n/one", "manifests", "v1")],
  ["pull what is not changed", 0, (http) => get(http, `n/one/manifests/v1`, IF_NONE_MATCH)],
  ["pull an image of a list", 2, (http) => http.getManifest("n/one", "list", MediaType.dockerManifest)],
  ["pull a blob", 1, (http) => http.expectBlob("n/one", LAYER)],
  ["pull a part of a blob", 1, (http) => get(http, `n/one/blobs/${LAYER.descriptor.digest}`, { Range: "bytes=5-" })],
  ["look at a blob", 1, (http) => http.statusOf("n/one", "blobs", LAYER.descriptor.digest)],
  ["ask for what is not there", 0, (http) => http.statusOf("n/one", "manifests", "none")],
  ["mount a blob", 1, (http) => mount(http, { Authorization: `Basic ${btoa("al<i>ce:x")}`, "User-Agent": "a&b\\<c>" })],
  ["ask by a proxy", 1, (http) => get(http, `n/one/manifests/v1`, BY_PROXY)],
  ["push schema 1", 1, (http) => http.putManifest("library/old", "v1", SCHEMA_1)],
  ["pull schema 1", 1, (http) => http.getManifest("library/old", "v1", MediaType.dockerSchema1Signed)],
  ["pull an image as schema 1", 3, (http) => http.getManifest("n/one", "v1", MediaType.dockerSchema1Signed)],
  ["pull it once more", 2, (http) => http.getManifest("n/one", "v1", MediaType.dockerSchema1Signed)],
  ["delete a blob", 1, (http) => http.delete("n/one", "blobs", LAYER.descriptor.digest)],
  ["delete a manifest and its tag", 2, (http) => http.delete("n/one", "manifests", IMAGE.manifest.descriptor.digest)],
];

const CONFIG = { created: "2026-01-01T00:00:00Z", architecture: "amd64", os: "linux", config: {} };
const LAYER = layerOfArchive(noise(100, 1), "none");
const IMAGE = withEmptyStep(imageOf([LAYER], { format: "docker" }));
const LIST = indexOf([[IMAGE, AMD64]], "docker");
const OCI = imageOf([layerOfArchive(noise(50, 2), "none")], { annotations: { b: "<", a: "\u2028" } });
const IF_NONE_MATCH = { "If-None-Match": `"${IMAGE.manifest.descriptor.digest}"`, Accept: MediaType.dockerManifest };
const OLD_LAYER = contentOf(Buffer.from("of 2015"), "any");
const BY_PROXY = { "X-Forwarded-For": "10.1.2.3, 10.1.2.4", Accept: MediaType.dockerManifest };
const SCHEMA_1 = schema1Of();

describe("what both registries tell an endpoint of the same requests", {
  skip: unlessDebian("docker-registry"),
}, () => {
  const told = new Map<RegistryKind, readonly string[]>();
  before(async () => {
    for (const kind of ["docker-registry", "wharfinger"] as const) told.set(kind, await observe(kind));
  });
  after(() => told.clear());

  test("is the same, byte for byte, but for what version 3 prints otherwise", () => {
    const [theirs = [], ours = []] = [told.get("docker-registry"), told.get("wharfinger")];
    for (const [index, body] of theirs.entries()) assert.equal(withoutPlatforms(ours[index] ?? ""), toVersion3(body));
    assert.equal(
      ours.length,
      STEPS.reduce((sum, [, count]) => sum + count, 0),
    );
  });

  test("has every action, and says of deleted tags no more than their name", () => {
    const targets = (told.get("wharfinger") ?? []).map((body) => JSON.parse(body).events[0]);
    assert.deepEqual([...new Set(targets.map(({ action }) => action))], ["push", "pull", "mount", "delete"]);
    assert.deepEqual(targets.at(-1).target, { mediaType: "", digest: "", size: 0, repository: "n/one", tag: "v1" });
  });
});

async function observe(kind: RegistryKind): Promise<readonly string[]> {
  await using folder = await temporaryFolder("events");
  await using receiver = await startReceiver();
  await using registry = await openRegistry(kind, folder.path, {
    http: { relativeurls: false },
    compatibility: { schema1: { enabled: true } },
    notifications: {
      events: { includereferences: true },
      endpoints: [{ name: "tests", url: receiver.url, headers: { "X-A": ["b", "c"] } }],
    },
  });
  let expected = 0;
  await blobsOfSchema1(registry.http);
  await receiver.has(({ events }) => events.length === 1);
  for (const [what, count, work] of STEPS) {
    await work(registry.http);
    expected += count;
    if (kind === "docker-registry") await arrived(receiver, expected + 1, what);
  }
  await arrived(receiver, expected + 1, "all");
  assert.deepEqual(
    receiver.requests[0]?.rawHeaders.filter((_, index, all) => all[index - 1] === "X-A"),
    ["b", "c"],
  );
  return receiver.requests.slice(1).map(({ body }) => normalised(body, registry.process.port));
}

async function arrived(receiver: EventReceiver, count: number, what: string): Promise<void> {
  await receiver
    .has(({ events }) => events.length >= count)
    .catch((cause) => {
      throw new Error(`of "${what}" came ${receiver.events.length} events in all, not ${count}`, { cause });
    });
}

/** Without what differs from one process to the next. */
function normalised(body: string, port: number): string {
  return body
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[1-9a-f][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, "UUID")
    .replace(/"timestamp": "\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,8}[1-9])?Z"/, '"timestamp": "TIME"')
    .replaceAll(`:${port}`, ":PORT")
    .replace(/"addr": "127.0.0.1:\d+"/, '"addr": "127.0.0.1:CLIENT"');
}

/** Digests come before sizes, and of what was deleted the empty texts are there. */
function toVersion3(body: string): string {
  return body
    .replace(/^( *"size": \d+,\n)?( *"digest": "[^"]*")(,?\n)/gm, (_, size: string | undefined, digest, end) =>
      size === undefined ? `${digest}${end}` : `${digest},\n${size.replace(/,\n$/, end)}`,
    )
    .replace(
      /"target": \{\n( *)"digest": ("[^"]*"),\n/,
      '"target": {\n$1"mediaType": "",\n$1"digest": $2,\n$1"size": 0,\n',
    )
    .replace(
      /"target": \{\n( *)"repository"/,
      '"target": {\n$1"mediaType": "",\n$1"digest": "",\n$1"size": 0,\n$1"repository"',
    );
}

/** Which 2.8 leaves out of what a list refers to. */
function withoutPlatforms(body: string): string {
  return body.replace(/,\n *"platform": \{[^}]*\}/g, "");
}

async function get(http: RegistryClient, path: string, headers: Record<string, string>): Promise<void> {
  await (await http.request(path, { headers })).bytes();
}

async function mount(http: RegistryClient, headers: Record<string, string>): Promise<void> {
  const path = `n/two/blobs/uploads/?mount=${LAYER.descriptor.digest}&from=n/one`;
  assert.equal((await http.request(path, { method: "POST", headers })).status, 201);
}

/** An image whose conversion to schema 1 needs the empty layer. */
function withEmptyStep(image: Image): Image {
  const history = [{ created_by: "a layer" }, { created_by: "a command", empty_layer: true }];
  const rootfs = { type: "layers", diff_ids: [LAYER.diffId] };
  const bytes = Buffer.from(JSON.stringify({ ...CONFIG, rootfs, history }));
  const config = contentOf(bytes, MediaType.dockerConfig);
  const manifest = JSON.parse(Buffer.from(image.manifest.bytes).toString());
  const printed = Buffer.from(JSON.stringify({ ...manifest, config: config.descriptor }));
  return {
    manifest: contentOf(printed, MediaType.dockerManifest),
    blobs: [config, ...image.blobs.slice(1)],
    children: [],
  };
}

function schema1Of(): Image["manifest"] {
  const digest = OLD_LAYER.descriptor.digest;
  const fsLayers = [{ blobSum: digest }];
  const history = [{ v1Compatibility: JSON.stringify({ id: "1".repeat(64) }) }];
  const { document, payload } = signedFixture(schema1Fields({ fsLayers, history }), [ecSigner()]);
  const { bytes, descriptor } = contentOf(document, MediaType.dockerSchema1Signed);
  return { bytes, descriptor: { ...descriptor, digest: digestOf(payload) } };
}

async function blobsOfSchema1(http: RegistryClient): Promise<void> {
  await http.pushBlob("library/old", OLD_LAYER);
}
