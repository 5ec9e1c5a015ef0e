import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { type Digest, type DigestAlgorithm, digestOf } from "../../src/oci/digest.ts";
import { MediaType } from "../../src/oci/media-types.ts";
import type { StorageDriver } from "../../src/storage/driver.ts";
import { walk } from "../../src/storage/walk.ts";
import type { Answer, Api } from "./api.ts";

/** What a test pushes to an {@link Api} and expects of it. Every push here checks its status. */

export type Document = Readonly<Record<string, unknown>>;

export interface Pushed {
  readonly digest: Digest;
  readonly bytes: Buffer;
  readonly document: Document;
}

export interface ImageParts {
  readonly layers?: readonly Uint8Array[];
  /** Keys added to the manifest. */
  readonly extra?: Document;
  /** A tag; the digest by default. */
  readonly reference?: string;
  readonly algorithm?: DigestAlgorithm;
  readonly docker?: boolean;
}

/** @returns the session's URL */
export async function startUpload(api: Api, repository: string, query: string = ""): Promise<string> {
  const answer = await api.send("POST", `/v2/${repository}/blobs/uploads/${query}`);
  assert.equal(answer.status, 202);
  return locationOf(answer);
}

export async function pushBlob(
  api: Api,
  repository: string,
  bytes: Uint8Array,
  algorithm: DigestAlgorithm = "sha256",
): Promise<Digest> {
  const digest = digestOf(bytes, algorithm);
  const session = await startUpload(api, repository);
  const answer = await api.send("PUT", `${session}&digest=${digest}`, { body: bytes });
  assert.equal(answer.status, 201, answer.body.toString());
  return digest;
}

/** An image manifest with its config and layers, pushed by tag or digest. */
export async function pushImage(api: Api, repository: string, parts: ImageParts = {}): Promise<Pushed> {
  const document = await imageDocument(api, repository, parts);
  return await pushManifest(api, repository, document, parts);
}

/** The manifest of an image whose config and layers are pushed, but not the manifest itself. */
export async function imageDocument(api: Api, repository: string, parts: ImageParts = {}): Promise<Document> {
  const { layers = [], extra, algorithm = "sha256", docker } = parts;
  const [configType, layerType] = docker ? [MediaType.dockerConfig, DOCKER_LAYER] : [OCI_CONFIG, MediaType.ociLayer];
  const config = await pushDescriptor(api, repository, CONFIG, configType, algorithm);
  const descriptors: Document[] = [];
  for (const layer of layers) descriptors.push(await pushDescriptor(api, repository, layer, layerType, algorithm));
  const mediaType = docker ? MediaType.dockerManifest : MediaType.ociManifest;
  return { schemaVersion: 2, mediaType, config, layers: descriptors, ...extra };
}

const OCI_CONFIG = "application/vnd.oci.image.config.v1+json";
const DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip";
const CONFIG: Buffer = Buffer.from('{"architecture":"amd64","os":"linux"}');

async function pushDescriptor(
  api: Api,
  repository: string,
  bytes: Uint8Array,
  mediaType: string,
  algorithm: DigestAlgorithm,
): Promise<Document> {
  const digest = await pushBlob(api, repository, bytes, algorithm);
  return { mediaType, digest, size: bytes.length };
}

/** Pushes any manifest under its own media type. */
export async function pushManifest(
  api: Api,
  repository: string,
  document: Document,
  { reference, algorithm = "sha256" }: Pick<ImageParts, "reference" | "algorithm"> = {},
): Promise<Pushed> {
  const bytes = Buffer.from(JSON.stringify(document));
  const digest = digestOf(bytes, algorithm);
  const answer = await putManifest(api, repository, reference ?? digest, bytes, String(document["mediaType"]));
  assert.equal(answer.status, 201, answer.body.toString());
  return { digest, bytes, document };
}

export function indexOf(children: readonly Pushed[], extra: Document = {}): Document {
  return { schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: children.map(descriptorOf), ...extra };
}

export function descriptorOf({ document, digest, bytes }: Pushed): Document {
  return { mediaType: document["mediaType"], digest, size: bytes.length };
}

/** Sends a manifest without any check. */
export async function putManifest(
  api: Api,
  repository: string,
  reference: string,
  body: string | Uint8Array | Document,
  type?: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const bytes = typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
  const contentType = type === undefined ? {} : { "Content-Type": type };
  const target = `/v2/${repository}/manifests/${reference}`;
  return await api.send("PUT", target, { body: bytes, headers: { ...contentType, ...headers } });
}

/** @returns the path and query of the answer's `Location`, wherever it points */
export function locationOf(answer: Answer): string {
  const { location } = answer.headers;
  assert.ok(location, "no Location");
  const url = new URL(location, "http://none");
  return url.pathname + url.search;
}

export function json(answer: Answer): unknown {
  assert.match(answer.headers["content-type"] ?? "", /^application\/[\w.+-]*json$/);
  const text = answer.body.toString();
  assert.ok(text.endsWith("}\n"), "JSON that ends with a newline");
  assert.equal(text, `${JSON.stringify(JSON.parse(text))}\n`, "compact JSON");
  return JSON.parse(text);
}

export interface ErrorEntry {
  readonly code: string;
  readonly message: string;
  readonly detail?: unknown;
}

/** Checks status, headers and form of a refusal. @returns its entries */
export function errorsOf(answer: Answer, status: number): readonly ErrorEntry[] {
  assert.equal(answer.status, status, answer.body.toString());
  assert.equal(answer.headers["docker-distribution-api-version"], "registry/2.0");
  assert.equal(answer.headers["content-type"], "application/json");
  assert.equal(answer.headers["content-length"], String(answer.body.length));
  const { errors } = json(answer) as { errors: readonly ErrorEntry[] };
  for (const error of errors) assert.deepEqual(Object.keys(error).slice(0, 2), ["code", "message"]);
  return errors;
}

/** A refusal with one entry. @returns its detail */
export function expectError(answer: Answer, status: number, code: string): unknown {
  const errors = errorsOf(answer, status);
  assert.deepEqual(
    errors.map((error) => error.code),
    [code],
  );
  return errors[0]?.detail;
}

export function expectText(answer: Answer, status: number, text: string): void {
  assert.equal(answer.status, status);
  assert.equal(answer.body.toString(), text);
  assert.equal(answer.headers["content-type"], "text/plain; charset=utf-8");
  assert.equal(answer.headers["x-content-type-options"], "nosniff");
  assert.equal(answer.headers["docker-distribution-api-version"], "registry/2.0");
}

/** Everything in a storage: each path, with the digest of a file's bytes. */
export async function contentsOf(driver: StorageDriver): Promise<Readonly<Record<string, string>>> {
  const contents: Record<string, string> = {};
  await walk(driver, "/", async ({ path, isDirectory }) => {
    contents[path] = isDirectory ? "folder" : digestOf(await driver.getContent(path));
    return undefined;
  });
  return contents;
}

/** Runs `work`, which must leave the storage as it was. */
export async function unchanged<T>(api: Api, work: () => Promise<T>): Promise<T> {
  const before = await contentsOf(api.driver);
  const result = await work();
  assert.deepEqual(await contentsOf(api.driver), before, "the storage changed");
  return result;
}

export function noise(length: number): Buffer {
  return randomBytes(length);
}

export function sameBytes(actual: Uint8Array, expected: Uint8Array): void {
  assert.equal(actual.length, expected.length, `${actual.length} bytes, not ${expected.length}`);
  assert.ok(Buffer.compare(actual, expected) === 0, "other bytes");
}
