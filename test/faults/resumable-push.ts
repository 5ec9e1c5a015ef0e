import assert from "node:assert/strict";
import type { Digest } from "../../src/oci/digest.ts";
import type { Content, Image } from "../support/image.ts";
import { type RegistryClient, type Upload, uploadOf } from "../support/registry-client.ts";
import type { Seeded } from "./seeded.ts";
import { sizeOf } from "./uploads.ts";

/** Bytes of a chunk, and one too many. */
export interface ChunkSizes {
  readonly least: number;
  readonly end: number;
}

/** From under one block of the server to several. */
const CHUNK: ChunkSizes = { least: 1000, end: 900_000 };

/**
 * The push of one image by a client that survives any number of ends of the registry: {@link run} begins where the last
 * run was cut off, and knows what the registry acknowledged.
 */
export class ResumablePush {
  readonly repository: string;
  readonly tag: string;
  readonly image: Image;
  /** Blobs that were answered with 201. */
  readonly acknowledged: Set<Digest> = new Set();
  /** Whether the manifest was answered with 201. */
  isDone = false;
  /** Sessions that were taken up after a cut. */
  resumed = 0;
  readonly #chunk: ChunkSizes;
  #session: Session | undefined;

  constructor(repository: string, tag: string, image: Image, chunk: ChunkSizes = CHUNK) {
    this.repository = repository;
    this.tag = tag;
    this.image = image;
    this.#chunk = chunk;
  }

  /** The same by a client that pushes all blobs at once, each from its start. */
  async runAtOnce(http: RegistryClient): Promise<void> {
    const left = this.image.blobs.filter(({ descriptor }) => !this.acknowledged.has(descriptor.digest));
    const pushed = left.map(async (blob) => {
      const appended = await http.append(await http.startUpload(this.repository), blob.bytes);
      await http.finishUpload(appended, blob.descriptor.digest);
      this.acknowledged.add(blob.descriptor.digest);
    });
    for (const result of await Promise.allSettled(pushed)) if (result.status === "rejected") throw result.reason;
    await http.putManifest(this.repository, this.tag, this.image.manifest);
    this.isDone = true;
  }

  async run(http: RegistryClient, random: Seeded): Promise<void> {
    for (const blob of this.image.blobs) {
      if (this.acknowledged.has(blob.descriptor.digest)) continue;
      await this.#pushBlob(http, blob, random);
      this.acknowledged.add(blob.descriptor.digest);
    }
    await http.putManifest(this.repository, this.tag, this.image.manifest);
    this.isDone = true;
  }

  async #pushBlob(http: RegistryClient, blob: Content, random: Seeded): Promise<void> {
    const session = (await this.#resume(http)) ?? (await this.#start(http));
    const { bytes, descriptor } = blob;
    while (session.acknowledged < bytes.length) {
      const chunk = bytes.subarray(session.acknowledged).subarray(0, random.whole(this.#chunk.least, this.#chunk.end));
      session.sent = session.acknowledged + chunk.length;
      session.upload = await http.append(session.upload, chunk, random.pick(["announced", "streamed"]));
      session.acknowledged = session.sent;
    }
    session.isCommitting = true;
    await http.finishUpload(session.upload, descriptor.digest);
    this.#session = undefined;
  }

  async #start(http: RegistryClient): Promise<Session> {
    const upload = await http.startUpload(this.repository);
    this.#session = { upload, acknowledged: 0, sent: 0, isCommitting: false };
    return this.#session;
  }

  /** Where the session stands. It may be gone or empty only where its bytes may have become the blob. */
  async #resume(http: RegistryClient): Promise<Session | undefined> {
    const session = this.#session;
    if (session === undefined) return undefined;
    const answer = await http.at(session.upload);
    await answer.bytes();
    if (answer.status === 404 && session.isCommitting) return undefined;
    assert.equal(answer.status, 204, "a session that was not committed is still there");
    const upload = uploadOf(answer);
    const size = sizeOf(upload);
    assert.ok(size <= session.sent, `${size} bytes, ${session.sent} were sent`);
    if (size < session.acknowledged) {
      assert.ok(session.isCommitting && size === 0, `${size} bytes, ${session.acknowledged} were acknowledged`);
    }
    this.resumed += 1;
    this.#session = { upload, acknowledged: size, sent: size, isCommitting: session.isCommitting };
    return this.#session;
  }
}

interface Session {
  upload: Upload;
  /** Bytes that the registry said it has. */
  acknowledged: number;
  /** Bytes that it may have. */
  sent: number;
  /** Whether its commit was asked for. */
  isCommitting: boolean;
}
