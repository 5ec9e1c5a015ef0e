/** What is read in the benchmark, pushed into every registry alike. */
import { randomBytes } from "node:crypto";
import { type Digest, digestOf } from "../../src/oci/digest.ts";
import { ask } from "./ask.ts";

export const REPOSITORY = "bench/app";
const TAGS = 500;
const REPOSITORIES = 100;
const KIB = 1024;
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";

/** Paths of what can be read, and what a client has to accept. */
export interface Content {
  readonly manifest: Digest;
  readonly kilobyte: Digest;
  readonly sixtyFour: Digest;
}

/** Content of the same sizes has other bytes in each registry, which changes nothing for the figures. */
export async function seed(url: string): Promise<Content> {
  const kilobyte = await pushBlob(url, REPOSITORY, randomBytes(KIB));
  const sixtyFour = await pushBlob(url, REPOSITORY, randomBytes(64 * KIB));
  const manifest = manifestOf({ digest: kilobyte, size: KIB }, [{ digest: sixtyFour, size: 64 * KIB }]);
  for (let tag = 0; tag < TAGS; tag++) await pushManifest(url, REPOSITORY, `v${tag}`, manifest);
  for (let number = 1; number < REPOSITORIES; number++) await seedRepository(url, `bench/${number}`);
  return { manifest: digestOf(manifest), kilobyte, sixtyFour };
}

async function seedRepository(url: string, name: string): Promise<void> {
  const config = { digest: await pushBlob(url, name, randomBytes(100)), size: 100 };
  await pushManifest(url, name, "latest", manifestOf(config, []));
}

interface Part {
  readonly digest: Digest;
  readonly size: number;
}

/** With some annotations, as builders add them: about a kilobyte. */
export function manifestOf(config: Part, layers: readonly Part[]): Buffer {
  const annotations = { "org.opencontainers.image.description": "A benchmark. ".repeat(30) };
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: { mediaType: "application/vnd.oci.image.config.v1+json", ...config },
      layers: layers.map((layer) => ({ mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", ...layer })),
      annotations,
    }),
  );
}

/** In three requests, as the clients of containers/image push. */
export async function pushBlob(url: string, name: string, bytes: Buffer): Promise<Digest> {
  const digest = digestOf(bytes);
  const begun = await ask(url, "POST", `/v2/${name}/blobs/uploads/`, 202);
  const headers = { "Content-Type": "application/octet-stream" };
  const sent = await ask(url, "PATCH", begun.location, 202, { body: bytes, headers });
  const end = `${sent.location}${sent.location.includes("?") ? "&" : "?"}digest=${encodeURIComponent(digest)}`;
  await ask(url, "PUT", end, 201);
  return digest;
}

export async function pushManifest(url: string, name: string, tag: string, manifest: Buffer): Promise<void> {
  const headers = { "Content-Type": MANIFEST };
  await ask(url, "PUT", `/v2/${name}/manifests/${tag}`, 201, { body: manifest, headers });
}
