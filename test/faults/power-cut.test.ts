import assert from "node:assert/strict";
import { subscribe } from "node:diagnostics_channel";
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { test } from "node:test";
import { type Content, imageOf, layerOfArchive, noise } from "../support/image.ts";
import { RegistryClient } from "../support/registry-client.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { RecordedDisk } from "./recorded-disk.ts";

const PUSHERS = 8;
const IMAGES = 3;
const ROOT = "/docker/registry/v2";

/**
 * The server runs in this process, on a disk that is listened to. A request's answer has left when Node says that it is
 * finished, which is before anything that was begun and not waited for has come back from the pool.
 */
test("what is acknowledged while eight push small images would survive a power cut, and no link its target", async () => {
  await using folder = await temporaryFolder("power-cut");
  const disk = new RecordedDisk(folder.path);
  const tree = `${folder.path}${ROOT}`;
  const lost: string[] = [];
  const require = (path: string, why: string): void => {
    if (!disk.isDurable(path)) lost.push(`${why}: ${path}`);
  };
  disk.onDurable = (link) => require(blobOf(tree, readFileSync(link, "latin1")), `${link} came before`);
  const urls = new WeakMap<IncomingMessage, string>(); // whoever answers may change that of the request
  subscribe("http.server.request.start", (message) => {
    const { request } = message as { request: IncomingMessage };
    urls.set(request, request.url ?? "");
  });
  let acknowledged = 0;
  subscribe("http.server.response.finish", (message) => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
    if (response.statusCode !== 201) return;
    acknowledged += 1;
    const url = urls.get(request) ?? "";
    for (const path of pathsOf(tree, url)) require(path, `201 for ${url} before`);
  });
  const { openFilesystem } = await import("../../src/storage/filesystem.ts");
  const { startApi } = await import("../support/api.ts");
  await using api = await startApi(await openFilesystem({ rootdirectory: folder.path }), { protocol: "http" });
  const http = new RegistryClient(api.origin);
  await Promise.all(Array.from({ length: PUSHERS }, (_, pusher) => pushSmallImages(http, pusher)));
  assert.deepEqual(lost, []);
  assert.equal(acknowledged, PUSHERS * IMAGES * 4);
});

async function pushSmallImages(http: RegistryClient, pusher: number): Promise<void> {
  const repository = `push/number-${pusher}`;
  for (let count = 0; count < IMAGES; count++) {
    const seed = 2 * (pusher * IMAGES + count);
    const image = imageOf([seed, seed + 1].map((layer) => layerOfArchive(noise(4096, layer), "none")));
    await Promise.all(image.blobs.map((blob) => pushInPieces(http, repository, blob)));
    await http.putManifest(repository, `v${count % 2}`, image.manifest);
  }
}

/** In three requests, as the benchmark does. */
async function pushInPieces(http: RegistryClient, repository: string, { bytes, descriptor }: Content): Promise<void> {
  const appended = await http.append(await http.startUpload(repository), bytes);
  await http.finishUpload(appended, descriptor.digest);
}

function blobOf(tree: string, digest: string): string {
  const hex = digest.slice("sha256:".length);
  return `${tree}/blobs/sha256/${hex.slice(0, 2)}/${hex}/data`;
}

/** What a 201 promises to be there. */
function pathsOf(tree: string, url: string): string[] {
  const { pathname, searchParams } = new URL(url, "http://registry");
  const [, repository = "", tag] = /^\/v2\/(.+)\/(?:manifests|blobs\/uploads)\/(.+)$/.exec(pathname) ?? [];
  const manifests = `${tree}/repositories/${repository}/_manifests`;
  const digest = searchParams.get("digest") ?? readFileSync(`${manifests}/tags/${tag}/current/link`, "latin1");
  const hex = digest.slice("sha256:".length);
  if (searchParams.has("digest")) {
    return [blobOf(tree, digest), `${tree}/repositories/${repository}/_layers/sha256/${hex}/link`];
  }
  return [
    blobOf(tree, digest),
    `${manifests}/revisions/sha256/${hex}/link`,
    `${manifests}/tags/${tag}/index/sha256/${hex}/link`,
    `${manifests}/tags/${tag}/current/link`,
  ];
}
