import type { BlobDigest } from "../oci/blob-digest.ts";
import type { BlobDescriptor } from "../oci/descriptor.ts";
import { type Digest, isDigest } from "../oci/digest.ts";
import { BlobUnknown, RegistryClosed } from "../oci/errors.ts";
import { canRedirect, type FileReader, type RedirectRequest } from "../storage/driver.ts";
import { ReaderClosed } from "../storage/errors.ts";
import type { LinkedBlob } from "./blob-links.ts";
import { SMALL_BLOB } from "./blob-memory.ts";
import { readContent } from "./content.ts";
import type { RegistryContext } from "./context.ts";
import { absentIfNotFound, infoOf } from "./links.ts";
import type { Blob, BlobReader, ByteRange } from "./registry.ts";

export class StoredBlob implements Blob {
  readonly descriptor: BlobDescriptor;
  readonly createdAt: Date | undefined;
  readonly #context: RegistryContext;
  readonly #target: BlobDigest;
  readonly #path: string;
  readonly #forget: LinkedBlob["forget"];

  constructor(context: RegistryContext, descriptor: BlobDescriptor, { target, modified, forget }: LinkedBlob) {
    this.#context = context;
    this.descriptor = descriptor;
    this.#target = target;
    this.#path = context.paths.blob(target);
    this.#forget = forget;
    this.createdAt = modified === undefined ? undefined : new Date(modified);
  }

  /** A storage that fails to give a URL costs a warning: the client gets its blob from here. */
  async redirect(request: RedirectRequest): Promise<URL | undefined> {
    const { driver, options, warn } = this.#context;
    if (!options.redirect || !canRedirect(driver)) return undefined;
    try {
      const { method, client } = request; // which may be found out just now
      const url = await driver.redirectUrl(this.#path, { method, client });
      return url && new URL(url); // one of the operator's own may give text
    } catch (error) {
      if (error instanceof RegistryClosed) throw error;
      warn("clients cannot be redirected to the storage, so blobs are sent from here", { reason: String(error) });
      return undefined;
    }
  }

  async read(range?: ByteRange): Promise<BlobReader> {
    const { start, length } = range ?? { start: 0, length: this.descriptor.size };
    const end = start + length;
    if (!isOffset(start, 0, this.descriptor.size) || !isOffset(end, start, this.descriptor.size)) {
      throw new RangeError(`${length} bytes from ${start} on do not lie within a blob of ${this.descriptor.size}`);
    }
    const open = (offset: number): Promise<FileReader> => this.#reader(offset, end - offset);
    return new StoredBlobReader(await open(start), { start, end, open, driver: this.#context.driver.name });
  }

  /** Looks for the file in any case: bytes that were collected are not served, nor is anything after the registry's end. */
  async whole(): Promise<Uint8Array | undefined> {
    const { size } = this.descriptor;
    if (size > SMALL_BLOB || !isDigest(this.#target)) return undefined;
    const known = this.#context.blobMemory.get(this.#target);
    if (known === undefined) return await this.#load(this.#target);
    const info = await infoOf(this.#context.driver, this.#path);
    return info?.size === size && known.length === size ? known : undefined;
  }

  /** Bytes that are not what they should be are left to whoever reads them. */
  async #load(target: Digest): Promise<Uint8Array | undefined> {
    const content = await readContent(this.#context, target, this.descriptor.size);
    if (content === undefined || content === "damaged" || content.length !== this.descriptor.size) return undefined;
    this.#context.blobMemory.set(target, content);
    return content;
  }

  /** @throws {BlobUnknown} where the bytes are gone, or are not those that a cache remembered */
  async #reader(offset: number, length: number): Promise<FileReader> {
    const reader = await absentIfNotFound(this.#context.driver.reader(this.#path, offset, { length }));
    if (reader && (!this.#forget || reader.size === this.descriptor.size)) return reader;
    await reader?.[Symbol.asyncDispose]();
    await this.#forget?.();
    throw new BlobUnknown(this.descriptor.digest);
  }
}

interface Source {
  /** Bytes from the start of the blob, as all offsets here. */
  readonly start: number;
  readonly end: number;
  readonly driver: string;
  open(offset: number): Promise<FileReader>;
}

/** Goes on with one reader of the driver until it is to read elsewhere. */
class StoredBlobReader implements BlobReader {
  readonly #source: Source;
  #reader: FileReader | undefined;
  /** Where the driver's reader stands. */
  #position: number;
  #sought: number | undefined;
  #closed = false;

  constructor(reader: FileReader, source: Source) {
    this.#reader = reader;
    this.#source = source;
    this.#position = source.start;
  }

  async read(into: Uint8Array): Promise<number> {
    this.#checkOpen();
    const reader = await this.#readerThere();
    const left = this.#source.end - this.#position;
    const count = await reader.read(into.length > left ? into.subarray(0, left) : into);
    this.#position += count;
    return count;
  }

  seek(offset: number): void {
    this.#checkOpen();
    const { start, end } = this.#source;
    if (!isOffset(offset, start, end)) throw new RangeError(`cannot seek to ${offset}: expected ${start} to ${end}`);
    this.#sought = offset;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#reader?.[Symbol.asyncDispose]();
  }

  #checkOpen(): void {
    if (this.#closed) throw new ReaderClosed(this.#source.driver);
  }

  async #readerThere(): Promise<FileReader> {
    const sought = this.#sought;
    this.#sought = undefined;
    if (sought !== undefined && sought !== this.#position) {
      const left = this.#reader;
      this.#reader = undefined;
      this.#position = sought;
      await left?.[Symbol.asyncDispose]();
    }
    this.#reader ??= await this.#open();
    return this.#reader;
  }

  /** Disposal may come while it opens. */
  async #open(): Promise<FileReader> {
    const reader = await this.#source.open(this.#position);
    if (!this.#closed) return reader;
    await reader[Symbol.asyncDispose]();
    throw new ReaderClosed(this.#source.driver);
  }
}

/** Whether it is a whole number of bytes from `first` to `last`, both included. */
function isOffset(offset: number, first: number, last: number): boolean {
  return Number.isSafeInteger(offset) && offset >= first && offset <= last;
}
