import { randomUUID } from "node:crypto";
import type { BlobDigest } from "../oci/blob-digest.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { UploadUnknown } from "../oci/errors.ts";
import type { RepositoryName } from "../oci/names.ts";
import type { RegistryContext } from "./context.ts";
import { directUpload } from "./direct-upload.ts";
import { absentIfNotFound } from "./links.ts";
import type { Upload, UploadContent, UploadOptions, UploadService } from "./registry.ts";
import { startHash } from "./running-hash.ts";
import { storeAlgorithm } from "./stored-hash.ts";
import { StoredUpload } from "./upload.ts";
import { chunksUntil } from "./upload-content.ts";
import { beginData, findData } from "./upload-data.ts";
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
    await this.#note(id, options);
    return new StoredUpload(this.#context, this.#repository, { id, startedAt, size: 0, modified: undefined });
  }

  /** So that the first bytes need not ask what the client said, neither here nor at another process. */
  async #note(id: UploadId, { algorithm }: UploadOptions): Promise<void> {
    const hash = await startHash(algorithm ?? "sha256").rest();
    if (hash)
      this.#context.uploadMemory.hashes.set(`${this.#repository}/${id}`, { hash, size: 0, modified: undefined });
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
    const { driver } = this.#context;
    const [started, data] = await Promise.all([
      absentIfNotFound(driver.getContent(this.#context.paths.uploadStarted(this.#repository, id))),
      findData(driver, this.#context.paths.uploadData(this.#repository, id)),
    ]);
    const startedAt = new Date(
      Buffer.from(started ?? [])
        .toString("latin1")
        .trim(),
    );
    if (Number.isNaN(startedAt.getTime())) throw new UploadUnknown();
    const { size, modified, version } = data ?? { size: 0 };
    return new StoredUpload(this.#context, this.#repository, { id, startedAt, size, modified, version });
  }
}

function newId(): UploadId {
  return parseUploadId(randomUUID()) as UploadId;
}
