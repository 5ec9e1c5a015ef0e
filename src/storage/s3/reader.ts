import type { Readable } from "node:stream";
import type { FileReader } from "../driver.ts";
import { PathNotFound, ReaderClosed, StorageError, StorageUnreachable } from "../errors.ts";
import { toStorageError } from "./failures.ts";
import type { Objects, S3Content, S3Range } from "./objects.ts";
import { S3 } from "./parameters.ts";

/** Bodies in a row that may end without a byte before a reader gives up. */
const FRUITLESS = 4;

/**
 * Reads one object as it was when it was opened. A body that breaks off or falls silent is asked for again from where it
 * broke off, and only from the same object.
 */
class S3Reader implements FileReader {
  readonly size: number;
  readonly #objects: Objects;
  readonly #key: string;
  readonly #etag: string;
  /** Exclusive. */
  readonly #end: number;
  #position: number;
  #body: Body | undefined;
  /** What came and was not read yet. */
  #rest: Uint8Array = new Uint8Array();
  #reading: Promise<unknown> = Promise.resolve();
  #closed = false;

  /** Takes over the body of `content`, which begins at `offset`. */
  constructor(objects: Objects, key: string, content: S3Content, offset: number, length: number | undefined) {
    this.#objects = objects;
    this.#key = key;
    this.#etag = content.etag;
    this.size = content.size;
    this.#position = offset;
    this.#end = Math.min(content.size, offset + (length ?? content.size));
    this.#body = toBody(content.body);
  }

  read(into: Uint8Array): Promise<number> {
    const reading = this.#read(into);
    this.#reading = reading.catch(() => undefined);
    return reading;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#reading;
    this.#drop();
  }

  async #read(into: Uint8Array): Promise<number> {
    if (this.#closed) throw new ReaderClosed(S3);
    const wanted = Math.min(into.length, this.#end - this.#position);
    if (wanted <= 0) return 0;
    if (this.#rest.length === 0) this.#rest = await this.#next();
    const bytes = this.#rest.subarray(0, wanted);
    into.set(bytes);
    this.#rest = this.#rest.subarray(bytes.length);
    this.#position += bytes.length;
    if (this.#position === this.#end) this.#drop();
    return bytes.length;
  }

  async #next(): Promise<Uint8Array> {
    for (let fruitless = 0; ; fruitless++) {
      this.#body ??= await this.#open();
      try {
        const { value, done } = await nextOf(this.#body, this.#objects.silence);
        if (!done) return value;
        throw new StorageUnreachable(S3, "GetObject failed: the body ended early");
      } catch (error) {
        this.#drop();
        if (fruitless === FRUITLESS) throw toStorageError("GetObject", error);
      }
    }
  }

  async #open(): Promise<Body> {
    const length = this.#end - this.#position;
    const content = await this.#objects.get(this.#key, { offset: this.#position, length, etag: this.#etag });
    if (content === undefined || content === "past")
      throw new StorageError(S3, "the object went away while it was read");
    return toBody(content.body);
  }

  #drop(): void {
    this.#body?.stream.destroy();
    this.#body = undefined;
  }
}

interface Body {
  readonly stream: Readable;
  readonly chunks: AsyncIterator<Uint8Array>;
}

function toBody(stream: Readable): Body {
  stream.on("error", ignore); // it may break while nobody reads; the next read finds out
  return { stream, chunks: stream[Symbol.asyncIterator]() };
}

function ignore(): void {}

/** @param silence ms after which the body is given up */
async function nextOf({ stream, chunks }: Body, silence: number): Promise<IteratorResult<Uint8Array>> {
  const timer = setTimeout(
    () => stream.destroy(new StorageUnreachable(S3, "GetObject failed: the body fell silent")),
    silence,
  );
  try {
    return await chunks.next();
  } finally {
    clearTimeout(timer);
  }
}

/** @throws {PathNotFound} */
export async function openReader(objects: Objects, key: string, path: string, range: S3Range): Promise<FileReader> {
  const { offset, length } = range;
  const content = length === 0 ? "past" : await objects.get(key, range);
  if (content === undefined) throw new PathNotFound(S3, path);
  if (content !== "past") return new S3Reader(objects, key, content, offset, length);
  const object = await objects.head(key);
  if (object === undefined) throw new PathNotFound(S3, path);
  return emptyReader(object.size);
}

function emptyReader(size: number): FileReader {
  let closed = false;
  return {
    size,
    read: async () => {
      if (closed) throw new ReaderClosed(S3);
      return 0;
    },
    [Symbol.asyncDispose]: async () => {
      closed = true;
    },
  };
}

/**
 * @param etag where it must be this object
 * @throws {PathNotFound}
 */
export async function readContent(objects: Objects, key: string, path: string, etag = ""): Promise<Uint8Array> {
  await using reader = await openReader(objects, key, path, { offset: 0, etag });
  const content = Buffer.allocUnsafeSlow(reader.size);
  for (let filled = 0; filled < content.length; ) filled += await reader.read(content.subarray(filled));
  return content;
}
