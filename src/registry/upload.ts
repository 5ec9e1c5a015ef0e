import { randomUUID } from "node:crypto";
import { type BlobDigest, isTarsumDigest } from "../oci/blob-digest.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { algorithmOf, type Digest, type DigestAlgorithm, encodedOf } from "../oci/digest.ts";
import { RangeInvalid, UploadUnknown } from "../oci/errors.ts";
import { MediaType } from "../oci/media-types.ts";
import type { RepositoryName } from "../oci/names.ts";
import type { Tarsum } from "../oci/tarsum.ts";
import { canStage, type FileInfo, type FileWriter } from "../storage/driver.ts";
import { PathNotFound, WriteConflict } from "../storage/errors.ts";
import type { RegistryContext } from "./context.ts";
import { directUpload, mismatch, type ReceiveDirectly } from "./direct-upload.ts";
import { absentIfNotFound } from "./links.ts";
import type { Upload, UploadContent, UploadOptions } from "./registry.ts";
import type { RunningHash } from "./running-hash.ts";
import { storeHash } from "./stored-hash.ts";
import { chunksUntil } from "./upload-content.ts";
import { closeSoon, findDataAgain, openData, settleData, statNow } from "./upload-data.ts";
import { hashAt, hexOfData, readData } from "./upload-hash.ts";
import type { UploadId } from "./upload-id.ts";
import type { UploadState } from "./upload-state.ts";

/** Bytes of a tar that are looked at before others go on. */
const TAR_CHUNK = 256 * 1024;

interface Verified {
  /** What the bytes are to be stored under. */
  readonly digest: Digest;
  /** The data as it was when the bytes were verified; there unless there are none. */
  readonly data: FileInfo | undefined;
}

type HashKeeping = "keep" | "leave";

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

  append(content: UploadContent, options: UploadOptions = {}): Promise<Upload> {
    return this.#append(content, options, "leave");
  }

  commit(digest: BlobDigest): Promise<Descriptor> {
    return this.#takeTurn(async (signal) => {
      const { driver, paths, blobs } = this.#context;
      const verified = isTarsumDigest(digest) ? await this.#verifyTar(digest, signal) : await this.#verify(digest);
      const { digest: stored, data } = verified;
      if (this.size === 0 || data === undefined) await driver.putContent(paths.blob(stored), new Uint8Array());
      else await this.#moveIntoPlace(stored, data);
      await blobs.write(this.#repository, digest, { target: stored, size: this.size });
      await this.#end();
      return { mediaType: MediaType.octetStream, digest: stored, size: this.size };
    });
  }

  async finish(content: UploadContent, digest: BlobDigest): Promise<Descriptor> {
    const receive = this.size === 0 ? directUpload(this.#context, this.#repository, this.id, digest) : undefined;
    if (receive) return await this.#finishDirectly(content, receive);
    const algorithm = isTarsumDigest(digest) ? undefined : algorithmOf(digest); // a tar is read again at the end
    const whole = await this.#append(content, { algorithm, last: true }, "keep");
    return await whole.commit(digest);
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

  /** @param how whether the hash is left in the storage, for another process that goes on or commits */
  #append(content: UploadContent, options: UploadOptions, how: HashKeeping): Promise<Upload> {
    return this.#takeTurn(async (signal) => {
      await this.#context.uploadMemory.hashes.get(this.#key)?.settled;
      using hash = await hashAt(this.#context, this.#repository, this.#state, options);
      this.#context.uploadMemory.hashes.delete(this.#key);
      const written = await this.#receive(chunksUntil(content, signal), hash);
      const { size, modified, version } = await this.#settleHash(written, hash, how);
      return new StoredUpload(this.#context, this.#repository, { ...this.#state, size, modified, version });
    });
  }

  /** All the bytes come, so it does not matter whether the session has ended since it was asked for. */
  #finishDirectly(content: UploadContent, receive: ReceiveDirectly): Promise<Descriptor> {
    return this.#context.uploadMemory.takeTurn(this.#key, async (signal) => {
      const descriptor = await this.#unlessMoved(receive(chunksUntil(content, signal)));
      await this.#end();
      return descriptor;
    });
  }

  async #end(): Promise<void> {
    const { driver, uploadMemory } = this.#context;
    uploadMemory.hashes.delete(this.#key);
    await absentIfNotFound(driver.delete(this.#path, { durable: false }));
  }

  get #key(): string {
    return `${this.#repository}/${this.id}`;
  }

  get #path(): string {
    return this.#context.paths.upload(this.#repository, this.id);
  }

  get #dataPath(): string {
    return this.#context.paths.uploadData(this.#repository, this.id);
  }

  /** The session may have ended since it was asked for. */
  #takeTurn<R>(work: (signal: AbortSignal) => Promise<R>): Promise<R> {
    const { driver, uploadMemory } = this.#context;
    return uploadMemory.takeTurn(this.#key, async (signal) => {
      const path = this.#context.paths.uploadStarted(this.#repository, this.id);
      const started = statNow(driver, path) ?? (await absentIfNotFound(driver.stat(path)));
      if (started === undefined) throw new UploadUnknown();
      return await work(signal);
    });
  }

  /** @returns the closed writer; what had arrived when it throws is kept */
  async #receive(chunks: AsyncIterable<Uint8Array>, hash: RunningHash | undefined): Promise<FileWriter> {
    try {
      await using writer = await openData(this.#context.driver, this.#dataPath);
      if (writer.size !== this.size || this.#isOther(writer)) throw this.#moved();
      let hashed = this.size;
      try {
        for await (const chunk of chunks) {
          await writer.write(chunk);
          await hash?.update(chunk);
          hashed += chunk.length;
        }
      } catch (error) {
        await this.#keep(writer, hash, hashed);
        throw error;
      }
      await closeSoon(writer, this.#context.driver, this.#path); // what is acknowledged is the blob
      return writer;
    } catch (error) {
      throw error instanceof WriteConflict ? this.#moved() : error;
    }
  }

  /** Whether the bytes to append to are others than those whose hash goes on, as far as the storage tells. */
  #isOther({ version }: FileWriter): boolean {
    const expected = this.#state.version;
    return this.size > 0 && version !== undefined && expected !== undefined && version !== expected;
  }

  /** After a failure: the bytes that arrived, and their hash where just the `hashed` ones did. */
  async #keep(writer: FileWriter, hash: RunningHash | undefined, hashed: number): Promise<void> {
    try {
      await closeSoon(writer, this.#context.driver, this.#path);
      if (writer.size === hashed) await this.#settleHash(writer, hash);
    } catch {
      // The first failure is the one to tell of.
    }
  }

  /**
   * Keeps the hash of what was written for the next request, here or at another process.
   * @throws {RangeInvalid} where the storage has other bytes by now
   */
  async #settleHash(
    { size, version, settled }: FileWriter,
    running: RunningHash | undefined,
    how: HashKeeping = "leave",
  ): Promise<FileInfo> {
    const hash = await running?.rest();
    const storing =
      hash && how === "leave" && storeHash(this.#context, this.#repository, this.id, hash, { size, version });
    try {
      const data = await this.#data(size, version);
      const { modified, version: ofData } = data;
      const session = hash && { hash, size, modified, version: ofData, settled };
      if (session) this.#context.uploadMemory.keep(this.#key, session, how === "leave");
      return data;
    } finally {
      await storing; // it never fails, and nothing of a session may be written when its turn is over
    }
  }

  async #verify(digest: Digest): Promise<Verified> {
    let data = await this.#checkData();
    const state = { ...this.#state, modified: data?.modified, version: data?.version };
    const settle = async (): Promise<FileInfo> => {
      data = await this.#settle();
      return data;
    };
    const hex =
      this.size === 0
        ? EMPTY_HEX[algorithmOf(digest)]
        : await this.#unlessMoved(hexOfData(this.#context, this.#repository, state, digest, settle));
    if (hex !== encodedOf(digest)) throw mismatch(digest, hex);
    return { digest, data };
  }

  async #verifyTar(tarsum: Tarsum, signal: AbortSignal): Promise<Verified> {
    const found = await this.#checkData();
    const data = this.size > 0 ? await this.#settle() : found;
    const { verifyTarsum } = await import("./upload-tarsum.ts");
    const tar = this.#readTar(data?.version);
    return { digest: await this.#unlessMoved(verifyTarsum(tarsum, tar, { signal })), data };
  }

  async *#readTar(version: string | undefined): AsyncGenerator<Uint8Array, void, void> {
    if (this.size === 0) return;
    const data = { id: this.id, version };
    let read = 0;
    for await (const chunk of readData(this.#context, this.#repository, data, TAR_CHUNK)) {
      read += chunk.length;
      yield chunk;
    }
    if (read !== this.size) throw this.#moved();
  }

  async #checkData(): Promise<FileInfo | undefined> {
    const data = await findDataAgain(this.#context.driver, this.#dataPath);
    if ((data?.size ?? 0) !== this.size) throw this.#moved();
    return data;
  }

  /**
   * Takes the data out of reach of other processes, looks whether one has added to it, and makes it the blob. Also where
   * there is one already: what lies there may be damaged, or not be durable yet.
   */
  async #moveIntoPlace(digest: Digest, data: FileInfo): Promise<void> {
    const { driver, paths } = this.#context;
    const blob = paths.blob(digest);
    if (canStage(driver)) return await this.#unlessMoved(driver.commitStaged(this.#dataPath, blob, data));
    const taken = paths.uploadTaken(this.#repository, this.id, randomUUID());
    await this.#rename(this.#dataPath, taken);
    if ((statNow(driver, taken) ?? (await driver.stat(taken))).size === this.size)
      return await driver.move(taken, blob);
    await this.#rename(taken, this.#dataPath);
    throw this.#moved();
  }

  #rename(source: string, target: string): Promise<void> {
    return this.#unlessMoved(this.#context.driver.move(source, target, { durable: false }));
  }

  async #unlessMoved<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
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
    const data = await findDataAgain(this.#context.driver, this.#dataPath);
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
