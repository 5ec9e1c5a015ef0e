import assert from "node:assert/strict";
import type { Descriptor } from "../../src/oci/descriptor.ts";
import { type Digest, digestOf } from "../../src/oci/digest.ts";
import type { Content, Image } from "./image.ts";

export type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

/** The HTTP API of one registry, for what the real clients cannot be made to do. Every call checks its status. */
export class RegistryClient {
  readonly #url: string;
  readonly #fetch: Fetch;

  /** @param url without a path */
  constructor(url: string, send: Fetch = fetch) {
    this.#url = url;
    this.#fetch = send;
  }

  /** Any request; `path` follows `/v2/`. */
  async request(path: string, init: RequestInit = {}): Promise<Response> {
    return await this.#fetch(`${this.#url}/v2/${path}`, { redirect: "manual", ...init });
  }

  /** Pushes an image with everything it refers to; children of an index by digest. */
  async push(repository: string, reference: string, image: Image): Promise<Digest> {
    for (const child of image.children) await this.push(repository, child.manifest.descriptor.digest, child);
    for (const blob of image.blobs) await this.pushBlob(repository, blob);
    return this.putManifest(repository, reference, image.manifest);
  }

  /** As {@link push} by digest, answering the manifest's response. */
  async pushForAnswer(repository: string, image: Image): Promise<Response> {
    for (const blob of image.blobs) await this.pushBlob(repository, blob);
    return await this.#put(repository, image.manifest.descriptor.digest, image.manifest);
  }

  async pushBlob(repository: string, blob: Content): Promise<void> {
    const session = await this.startUpload(repository);
    await this.finishUpload(session, blob.descriptor.digest, blob.bytes);
  }

  async putManifest(repository: string, reference: string, manifest: Content): Promise<Digest> {
    await this.#put(repository, reference, manifest);
    return manifest.descriptor.digest;
  }

  async #put(repository: string, reference: string, manifest: Content): Promise<Response> {
    const answer = await this.request(`${repository}/manifests/${reference}`, {
      method: "PUT",
      body: bodyOf(manifest.bytes),
      headers: { "Content-Type": manifest.descriptor.mediaType },
    });
    await expect(answer, 201);
    return answer;
  }

  /** Reads an image back, each part checked against its digest, and compares it with what was pushed. */
  async expectImage(repository: string, reference: string, image: Image): Promise<void> {
    await this.expectManifest(repository, reference, image.manifest);
    for (const blob of image.blobs) await this.expectBlob(repository, blob);
    for (const child of image.children) await this.expectImage(repository, child.manifest.descriptor.digest, child);
  }

  async expectManifest(repository: string, reference: string, manifest: Content): Promise<void> {
    const answer = await this.getManifest(repository, reference, manifest.descriptor.mediaType);
    const bytes = await expect(answer, 200);
    assert.equal(Buffer.from(bytes).toString(), Buffer.from(manifest.bytes).toString());
    assert.equal(answer.headers.get("Content-Type"), manifest.descriptor.mediaType);
    assert.equal(answer.headers.get("Docker-Content-Digest"), manifest.descriptor.digest);
  }

  async expectBlob(repository: string, blob: Content): Promise<void> {
    const path = `${repository}/blobs/${blob.descriptor.digest}`;
    const bytes = await expect(await this.request(path, { redirect: "follow" }), 200);
    assert.equal(bytes.length, blob.bytes.length);
    assert.equal(digestOf(bytes), blob.descriptor.digest);
  }

  async getManifest(repository: string, reference: string, mediaType: string): Promise<Response> {
    return await this.request(`${repository}/manifests/${reference}`, { headers: { Accept: mediaType } });
  }

  /** The status of a manifest's or blob's HEAD; `kind` is the word of the path. */
  async statusOf(repository: string, kind: "manifests" | "blobs", reference: string): Promise<number> {
    const headers = { Accept: EVERY_MANIFEST };
    return (await this.request(`${repository}/${kind}/${reference}`, { method: "HEAD", headers })).status;
  }

  async delete(repository: string, kind: "manifests" | "blobs", reference: string): Promise<void> {
    await expect(await this.request(`${repository}/${kind}/${reference}`, { method: "DELETE" }), 202);
  }

  /** Sorted: the old registry answers in the directory's order. */
  async tags(repository: string): Promise<readonly string[]> {
    const body = await expect(await this.request(`${repository}/tags/list`), 200);
    return ((JSON.parse(Buffer.from(body).toString()) as { tags: string[] | null }).tags ?? []).sort();
  }

  async catalog(): Promise<readonly string[]> {
    const body = await expect(await this.request("_catalog"), 200);
    return (JSON.parse(Buffer.from(body).toString()) as { repositories: string[] }).repositories;
  }

  async referrers(repository: string, subject: Digest): Promise<readonly Descriptor[]> {
    const body = await expect(await this.request(`${repository}/referrers/${subject}`), 200);
    return (JSON.parse(Buffer.from(body).toString()) as { manifests: Descriptor[] }).manifests;
  }

  async startUpload(repository: string): Promise<Upload> {
    const answer = await this.request(`${repository}/blobs/uploads/`, { method: "POST" });
    await expect(answer, 202);
    return uploadOf(answer);
  }

  /** A PATCH with the bytes' length announced, or streamed in chunks without one, or as one chunk of several. */
  async append(
    upload: Upload,
    bytes: Uint8Array,
    style: "announced" | "chunk" | "streamed" = "announced",
  ): Promise<Upload> {
    const body = style === "streamed" ? streamed(bytes) : { body: bodyOf(bytes) };
    const headers = {
      "Content-Type": "application/octet-stream",
      ...(style === "chunk" && { "Content-Range": rangeBehind(upload, bytes.length) }),
    };
    const answer = await this.at(upload, { method: "PATCH", headers, ...body });
    await expect(answer, 202);
    return uploadOf(answer);
  }

  async finishUpload(upload: Upload, digest: Digest, rest: Uint8Array = new Uint8Array()): Promise<void> {
    const answer = await this.tryFinish(upload, digest, rest);
    await expect(answer, 201);
    assert.equal(answer.headers.get("Docker-Content-Digest"), digest);
  }

  async tryFinish(upload: Upload, digest: Digest, rest: Uint8Array = new Uint8Array()): Promise<Response> {
    const url = new URL(upload.location, this.#url);
    url.searchParams.set("digest", digest);
    return await this.#fetch(url, {
      method: "PUT",
      body: bodyOf(rest),
      headers: { "Content-Type": "application/octet-stream" },
    });
  }

  /** Asks how far an upload is. */
  async uploadStatus(upload: Upload): Promise<Upload> {
    const answer = await this.at(upload);
    await expect(answer, 204);
    return uploadOf(answer);
  }

  /** Any request to an upload's location. */
  async at(upload: Upload, init: RequestInit = {}): Promise<Response> {
    return await this.#fetch(this.#url + upload.location, init);
  }
}

/** An upload session as any registry with the same storage and secret can go on with it. */
export interface Upload {
  /** Path and query, with the token that the next call needs. */
  readonly location: string;
  /** As the header `Range` says: `0-` and the offset of the last byte. */
  readonly range: string;
}

/** An upload without a byte says `0-0`, as one with one does. */
function rangeBehind({ range }: Upload, length: number): string {
  const last = Number(range.split("-")[1]);
  const start = last > 0 ? last + 1 : 0;
  return `${start}-${start + length - 1}`;
}

const EVERY_MANIFEST = [
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
].join(", ");

async function expect(answer: Response, status: number): Promise<Uint8Array> {
  const body = await answer.bytes();
  assert.equal(answer.status, status, `${answer.url} answered ${answer.status}: ${Buffer.from(body.slice(0, 500))}`);
  return body;
}

/** The session that an answer with `Location` and `Range` tells of. */
export function uploadOf(answer: Response): Upload {
  const location = new URL(answer.headers.get("Location") ?? "", answer.url);
  return { location: location.pathname + location.search, range: answer.headers.get("Range") ?? "" };
}

function bodyOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>;
}

/** Several chunks, so that the receiver sees more than one. */
function streamed(bytes: Uint8Array): RequestInit {
  const size = Math.ceil(bytes.length / 3);
  const chunks = [0, 1, 2].map((i) => bytes.subarray(i * size, (i + 1) * size));
  return { body: ReadableStream.from(chunks), duplex: "half" };
}
