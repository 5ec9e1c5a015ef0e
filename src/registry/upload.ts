import { randomUUID } from "node:crypto";
import type { Descriptor } from "../oci/descriptor.ts";
import { algorithmOf, type Digest, type DigestAlgorithm, encodedOf } from "../oci/digest.ts";
import { DigestInvalid, RangeInvalid, UploadUnknown } from "../oci/errors.ts";
import { MediaType } from "../oci/media-types.ts";
import type { RepositoryName } from "../oci/names.ts";
import { canStage, type FileInfo, type FileWriter } from "../storage/driver.ts";
import { PathNotFound, WriteConflict } from "../storage/errors.ts";
import type { RegistryContext } from "./context.ts";
import { absentIfNotFound, writeLink } from "./links.ts";
import { blobPath, layerLinkPath, uploadDataPath, uploadPath, uploadStartedPath, uploadTakenPath } from "./paths.ts";
import type { Upload, UploadOptions } from "./registry.ts";
import type { RunningHash } from "./running-hash.ts";
import { findData, openData, settleData } from "./upload-data.ts";
import { hashAt, hexOfData } from "./upload-hash.ts";
import type { UploadId } from "./upload-id.ts";
import type { UploadState } from "./upload-state.ts";

export class StoredUpload implements Upload {
  readonly #context: RegistryContext;
  readonly #repository: RepositoryName;
  readonly #state: UploadState;

  constructor(context: RegistryContext, repository: RepositoryName, state: UploadState) {
    this.#context = context;
    this.#repository = repository;
    this.#state = state;
  }

  get id(): UploadId {
    return this.#state.id;
  }

  get startedAt(): Date {
    return this.#state.startedAt;
  }

  get size(): number {
    return this.#state.size;
  }

  append(chunks: AsyncIterable<Uint8Array>, options: UploadOptions = {}): Promise<Upload> {
    return this.#takeTurn(async (signal) => {
      const hash = await hashAt(this.#context, this.#repository, this.#state, options.algorithm);
      this.#context.uploadMemory.hashes.delete(this.#key);
      const written = await this.#receive(untilStopped(chunks, signal), hash);
      const { size, modified, version } = await this.#data(written.size, written.version);
      if (hash) this.#context.uploadMemory.hashes.set(this.#key, { hash, size, modified, version });
      return new StoredUpload(this.#context, this.#repository, { ...this.#state, size, modified, version });
    });
  }

  commit(digest: Digest): Promise<Descriptor> {
    return this.#takeTurn(async () => {
      const { driver, uploadMemory } = this.#context;
      if (this.size === 0) await this.#commitEmpty(digest);
      else await this.#commitData(digest);
      await writeLink(driver, layerLinkPath(this.#repository, digest), digest);
      uploadMemory.hashes.delete(this.#key);
      await absentIfNotFound(driver.delete(this.#path, { durable: false }));
      return { mediaType: MediaType.octetStream, digest, size: this.size };
    });
  }

  cancel(): Promise<void> {
    const { driver, uploadMemory } = this.#context;
    return uploadMemory.takeTurn(this.#key, async () => {
      uploadMemory.hashes.delete(this.#key);
      try {
        await driver.delete(this.#path);
      } catch (error) {
        throw error instanceof PathNotFound ? new UploadUnknown() : error;
      }
    });
  }

  get #key(): string {
    return `${this.#repository}/${this.id}`;
  }

  get #path(): string {
    return uploadPath(this.#repository, this.id);
  }

  get #dataPath(): string {
    return uploadDataPath(this.#repository, this.id);
  }

  /** The session may have ended since it was asked for. */
  #takeTurn<R>(work: (signal: AbortSignal) => Promise<R>): Promise<R> {
    const { driver, uploadMemory } = this.#context;
    return uploadMemory.takeTurn(this.#key, async (signal) => {
      const started = await absentIfNotFound(driver.stat(uploadStartedPath(this.#repository, this.id)));
      if (started === undefined) throw new UploadUnknown();
      return await work(signal);
    });
  }

  /** @returns the closed writer; what had arrived when it throws is kept */
  async #receive(chunks: AsyncIterable<Uint8Array>, hash: RunningHash | undefined): Promise<FileWriter> {
    try {
      await using writer = await openData(this.#context.driver, this.#dataPath);
      if (writer.size !== this.size) throw this.#moved();
      let hashed = this.size;
      try {
        for await (const chunk of chunks) {
          await writer.write(chunk);
          hash?.update(chunk);
          hashed += chunk.length;
        }
      } catch (error) {
        await this.#keep(writer, hash, hashed);
        throw error;
      }
      await writer.close();
      return writer;
    } catch (error) {
      throw error instanceof WriteConflict ? this.#moved() : error;
    }
  }

  /** After a failure: the bytes that arrived, and their hash where just the `hashed` ones did. */
  async #keep(writer: FileWriter, hash: RunningHash | undefined, hashed: number): Promise<void> {
    try {
      await writer.close();
      const { modified, version } = await this.#data(hashed, writer.version);
      if (hash && writer.size === hashed) {
        this.#context.uploadMemory.hashes.set(this.#key, { hash, size: hashed, modified, version });
      }
    } catch {
      // The first failure is the one to tell of.
    }
  }

  async #commitEmpty(digest: Digest): Promise<void> {
    const { driver } = this.#context;
    const data = await findData(driver, this.#dataPath);
    if (data && data.size > 0) throw this.#moved();
    const empty = EMPTY_HEX[algorithmOf(digest)];
    if (encodedOf(digest) !== empty) throw mismatch(digest, empty);
    await driver.putContent(blobPath(digest), new Uint8Array());
  }

  async #commitData(digest: Digest): Promise<void> {
    let data = await this.#data(this.size);
    const state = { ...this.#state, modified: data.modified, version: data.version };
    const hex = await hexOfData(this.#context, this.#repository, state, digest, async () => {
      data = await this.#settle();
    });
    if (hex !== encodedOf(digest)) throw mismatch(digest, hex);
    await this.#moveIntoPlace(digest, data);
  }

  /**
   * Takes the data out of reach of other processes, looks whether one has added to it, and makes it the blob. Also where
   * there is one already: what lies there may be damaged, or not be durable yet.
   */
  async #moveIntoPlace(digest: Digest, data: FileInfo): Promise<void> {
    const { driver } = this.#context;
    if (canStage(driver)) return await this.#unlessMoved(driver.commitStaged(this.#dataPath, blobPath(digest), data));
    const taken = uploadTakenPath(this.#repository, this.id, randomUUID());
    await this.#rename(this.#dataPath, taken);
    const { size } = await driver.stat(taken);
    if (size === this.size) return await driver.move(taken, blobPath(digest));
    await this.#rename(taken, this.#dataPath);
    throw this.#moved();
  }

  #rename(source: string, target: string): Promise<void> {
    return this.#unlessMoved(this.#context.driver.move(source, target, { durable: false }));
  }

  async #unlessMoved(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      throw error instanceof PathNotFound || error instanceof WriteConflict ? this.#moved() : error;
    }
  }

  /** Bytes that another process received may not be on the disk yet. */
  async #settle(): Promise<FileInfo> {
    if (!(await settleData(this.#context.driver, this.#dataPath, this.size))) throw this.#moved();
    return await this.#data(this.size);
  }

  /** @throws {RangeInvalid} where there are not so many bytes, or others than those of `version` */
  async #data(size: number, version?: string): Promise<FileInfo> {
    const data = await findData(this.#context.driver, this.#dataPath);
    if (data?.size !== size) throw this.#moved();
    if (version !== undefined && data.version !== version) throw this.#moved();
    return data;
  }

  #moved(): RangeInvalid {
    return new RangeInvalid(`the upload no longer has ${this.size} bytes: ask for its state and go on from there`);
  }
}

const EMPTY_HEX: Readonly<Record<DigestAlgorithm, string>> = {
  sha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  sha384: "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b",
  sha512:
    "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
};

function mismatch(digest: Digest, hex: string): DigestInvalid {
  return new DigestInvalid(`the uploaded bytes have ${algorithmOf(digest)}:${hex}, not ${digest}`);
}

/** The chunks until `signal` fires; does not wait for a source that stalls. */
async function* untilStopped(
  chunks: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const { promise: stopped, reject: stop } = Promise.withResolvers<never>();
  stopped.catch(() => undefined); // nobody may be waiting when it fires
  const onAbort = (): void => stop(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  const iterator = chunks[Symbol.asyncIterator]();
  try {
    for (;;) {
      signal.throwIfAborted();
      const result = await Promise.race([iterator.next(), stopped]);
      if (result.done) return;
      yield result.value;
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    iterator.return?.().catch(() => undefined); // waits for a source that stalls, which nobody else should
  }
}
