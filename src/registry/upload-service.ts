import { randomUUID } from "node:crypto";
import type { BlobDigest } from "../oci/blob-digest.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { UploadUnknown } from "../oci/errors.ts";
import type { RepositoryName } from "../oci/names.ts";
import type { FileInfo } from "../storage/driver.ts";
import type { RegistryContext } from "./context.ts";
import { directUpload } from "./direct-upload.ts";
import { absentIfNotFound } from "./links.ts";
import type { Upload, UploadContent, UploadOptions, UploadService } from "./registry.ts";
import { startHash } from "./running-hash.ts";
import { storeAlgorithm } from "./stored-hash.ts";
import { StoredUpload } from "./upload.ts";
import { chunksUntil } from "./upload-content.ts";
import { beginData, findData, statNow } from "./upload-data.ts";
import { parseUploadId, type UploadId } from "./upload-id.ts";

export class StoredUploadService implements UploadService {
  readonly #context: RegistryContext;
  readonly #repository: RepositoryName;

  constructor(context: RegistryContext, repository: RepositoryName) {
    this.#context = context;
    this.#repository = repository;
  }

  async start(options: UploadOptions = {}): Promise<Upload> {
    const { driver } = this.#context;
    const id = newId();
    const startedAt = new Date();
    const text = `${startedAt.toISOString().slice(0, 19)}Z`;
    // Nobody loses bytes when a power cut takes a session that has none yet.
    const { paths } = this.#context;
    await driver.putContent(paths.uploadStarted(this.#repository, id), Buffer.from(text), { durable: false });
    await beginData(driver, paths.uploadData(this.#repository, id));
    this.#context.uploadMemory.begun.set(this.#keyOf(id), new Date(text));
    await this.#note(id, options);
    return new StoredUpload(this.#context, this.#repository, { id, startedAt, size: 0, modified: undefined });
  }

  /** So that the first bytes need not ask what the client said, neither here nor at another process. */
  async #note(id: UploadId, { algorithm }: UploadOptions): Promise<void> {
    const hash = await startHash(algorithm ?? "sha256").rest();
    if (hash) this.#context.uploadMemory.hashes.set(this.#keyOf(id), { hash, size: 0, modified: undefined });
    if (algorithm) await storeAlgorithm(this.#context, this.#repository, id, algorithm);
  }

  async put(content: UploadContent, digest: BlobDigest): Promise<Descriptor> {
    const receive = directUpload(this.#context, this.#repository, newId(), digest);
    if (receive) return await receive(chunksUntil(content, new AbortController().signal));
    const upload = await this.start();
    try {
      return await upload.finish(content, digest);
    } catch (error) {
      await upload.cancel().catch(() => undefined); // the purge will find it
      throw error;
    }
  }

  async resume(id: UploadId): Promise<Upload> {
    const { startedAt, data } = this.#recall(id) ?? (await this.#read(id));
    const { size, modified, version } = data ?? { size: 0 };
    return new StoredUpload(this.#context, this.#repository, { id, startedAt, size, modified, version });
  }

  /** What needs no promise. @returns undefined of a session that is gone, or is not of this process */
  #recall(id: UploadId): SessionFiles | undefined {
    const { driver, paths, uploadMemory } = this.#context;
    const startedAt = uploadMemory.begun.get(this.#keyOf(id));
    if (!startedAt || !statNow(driver, paths.uploadStarted(this.#repository, id))) return undefined;
    return { startedAt, data: statNow(driver, paths.uploadData(this.#repository, id)) };
  }

  /** @throws {UploadUnknown} */
  async #read(id: UploadId): Promise<SessionFiles> {
    const { driver, paths, uploadMemory } = this.#context;
    const [started, data] = await Promise.all([
      absentIfNotFound(driver.getContent(paths.uploadStarted(this.#repository, id))),
      findData(driver, paths.uploadData(this.#repository, id)),
    ]);
    const text = Buffer.from(started ?? []).toString("latin1");
    const startedAt = new Date(text.trim());
    if (Number.isNaN(startedAt.getTime())) throw new UploadUnknown();
    uploadMemory.begun.set(this.#keyOf(id), startedAt);
    return { startedAt, data };
  }

  #keyOf(id: UploadId): string {
    return `${this.#repository}/${id}`;
  }
}

interface SessionFiles {
  readonly startedAt: Date;
  /** Not there before the first byte. */
  readonly data: FileInfo | undefined;
}

function newId(): UploadId {
  return parseUploadId(randomUUID()) as UploadId;
}
