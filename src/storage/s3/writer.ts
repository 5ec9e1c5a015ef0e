import type { FileWriter } from "../driver.ts";
import { PathNotFound, StorageError, WriteConflict } from "../errors.ts";
import { WriterState } from "../writer-state.ts";
import { isUploadGone } from "./failures.ts";
import { MOST_PARTS, type Part } from "./multipart.ts";
import { S3, SMALLEST_PART } from "./parameters.ts";
import type { Gatherer } from "./part-buffers.ts";
import { isObject, type Progress, sizeOf, type Uploading, versionOf } from "./progress.ts";
import { readContent } from "./reader.ts";
import { complete, type Place, type Store } from "./store.ts";

/** @throws {PathNotFound} where there is nothing to append to and nothing may be created */
export async function openWriter(
  store: Store,
  place: Place,
  { append, create = !append }: { readonly append: boolean; readonly create?: boolean },
): Promise<S3Writer> {
  if (!append) await discard(store, place);
  const found = append ? await store.finder.find(place.key) : undefined;
  if (found) return new S3Writer(store, place, found);
  if (!create) throw new PathNotFound(S3, place.path);
  return new S3Writer(store, place, await begin(store, place, true));
}

/** @param isFresh nothing that is an object will come first */
export async function begin({ multipart, finder }: Store, { key }: Place, isFresh: boolean): Promise<Uploading> {
  const uploading = { upload: await multipart.create(key), parts: [] };
  finder.remember(uploading, isFresh);
  return uploading;
}

/** Object and uploads: who looks for what to append to must not find older ones. */
async function discard({ objects, multipart, finder }: Store, { key }: Place): Promise<void> {
  finder.forget(key);
  const uploads = (await multipart.list(key)).filter((upload) => upload.key === key);
  await Promise.all([objects.remove(key), ...uploads.map((upload) => multipart.abort(upload))]);
}

/**
 * Appends parts to a multipart upload at the object's own key, as the peers do. While one part is on its way to S3 the next
 * one is gathered, where there is memory for it. Calls run one after the other.
 */
export class S3Writer implements FileWriter, Gatherer {
  readonly #store: Store;
  readonly #place: Place;
  readonly #state: WriterState = new WriterState(S3);
  #progress: Progress;
  /** Bytes that S3 has, not those on their way. */
  #stored: number;
  #sending: Promise<void> | undefined;
  /** Bytes on their way. */
  #sent = 0;
  #buffer: Buffer | undefined;
  #gathered = 0;
  #failure: unknown;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(store: Store, place: Place, progress: Progress) {
    this.#store = store;
    this.#place = place;
    this.#progress = progress;
    this.#stored = sizeOf(progress);
  }

  get size(): number {
    return this.#stored + this.#sent + this.#gathered;
  }

  get version(): string {
    return versionOf(this.#progress);
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.#inTurn(async () => {
      this.#checkUsable();
      if (chunk.length > 0) await this.#orFail(() => this.#gather(chunk));
    });
  }

  /** Sends what is gathered, be it too short: {@link write} knows a way on, which costs a copy. */
  hurry(): void {
    void this.#inTurn(async () => {
      if (this.#state.isOpen && this.#failure === undefined && this.#gathered > 0)
        await this.#orFail(() => this.#send());
    }).catch(() => undefined); // the next call finds out
  }

  /** After a failed write it keeps the parts that S3 has; {@link size} tells how many bytes. */
  close(): Promise<void> {
    return this.#inTurn(() => this.#close());
  }

  commit(): Promise<void> {
    return this.#inTurn(async () => {
      this.#checkUsable();
      await this.#orFail(async () => {
        await this.#flush();
        await complete(this.#store, this.#place, this.#progress);
      });
      this.#state.commit();
    });
  }

  cancel(): Promise<void> {
    return this.#inTurn(async () => {
      this.#state.cancel();
      await this.#sending?.catch(() => undefined);
      this.#release();
      await discard(this.#store, this.#place);
    });
  }

  /** Says nothing of what failed before, nor of another writer that went on meanwhile. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#failure !== undefined) return await this.#fail(this.#failure);
      if (this.#state.isOpen) await this.#close().catch(throwUnlessConflict);
    });
  }

  #inTurn<R>(work: () => Promise<R>): Promise<R> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  #checkUsable(): void {
    this.#state.checkOpen();
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #orFail(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      await this.#fail(error);
      throw error;
    }
  }

  async #fail(error: unknown): Promise<void> {
    this.#failure ??= error;
    await this.#sending?.catch(() => undefined);
    this.#release();
  }

  async #close(): Promise<void> {
    const isEnd = this.#state.isOpen && this.#failure === undefined;
    this.#state.close();
    if (isEnd) await this.#orFail(() => this.#flush());
  }

  async #gather(chunk: Uint8Array): Promise<void> {
    await this.#prepare();
    for (let rest = chunk; rest.length > 0; ) {
      const buffer = await this.#room();
      const fitting = rest.subarray(0, buffer.length - this.#gathered);
      buffer.set(fitting, this.#gathered);
      this.#gathered += fitting.length;
      rest = rest.subarray(fitting.length);
      if (this.#gathered === buffer.length) await this.#send();
    }
  }

  /** Only the last part of an upload may be short: behind a short one another upload is begun, with all that is there. */
  async #prepare(): Promise<void> {
    const { copying, multipart, objects } = this.#store;
    if (this.#sent > 0 && this.#sent < SMALLEST_PART) await this.#sending;
    if (!isObject(this.#progress) && !endsShort(this.#progress.parts)) return;
    const object = await complete(this.#store, this.#place, this.#progress);
    const leftovers = isObject(this.#progress) ? this.#progress.leftovers : [];
    await Promise.all(leftovers.map((upload) => multipart.abort(upload)));
    const { upload } = await begin(this.#store, this.#place, object.size === 0);
    const { key } = this.#place;
    if (object.size >= SMALLEST_PART) {
      this.#progress = { upload, parts: await copying.prepend({ key, etag: object.etag, size: object.size }, upload) };
    } else {
      this.#progress = { upload, parts: [] };
      if (object.size > 0) await this.#takeBack(await readContent(objects, key, this.#place.path, object.etag));
    }
  }

  /** What is too short for a part is gathered again, before what comes. */
  async #takeBack(bytes: Uint8Array): Promise<void> {
    const buffer = await this.#room();
    buffer.set(bytes);
    this.#stored = 0;
    this.#gathered = bytes.length;
  }

  /** A buffer that is not full. A writer that waits for one has no other. */
  async #room(): Promise<Buffer> {
    this.#buffer ??= this.#store.buffers.tryTake(this);
    if (this.#buffer === undefined) {
      await this.#sending;
      this.#buffer = await this.#store.buffers.take(this);
    }
    return this.#buffer;
  }

  async #flush(): Promise<void> {
    if (this.#gathered > 0) await this.#send();
    await this.#sending;
    this.#release();
  }

  /** Begins to send what is gathered, once the part before is there. */
  async #send(): Promise<void> {
    await this.#sending;
    const buffer = this.#buffer;
    if (buffer === undefined || isObject(this.#progress)) return;
    const bytes = buffer.subarray(0, this.#gathered);
    this.#buffer = undefined;
    this.#store.buffers.seal(buffer);
    this.#sent = this.#gathered;
    this.#gathered = 0;
    this.#sending = this.#upload(this.#progress, bytes).finally(() => {
      this.#sent = 0;
      this.#store.buffers.give(buffer);
    });
    this.#sending.catch(() => undefined); // the next call finds out
  }

  async #upload({ upload, parts }: Uploading, bytes: Buffer): Promise<void> {
    const number = (parts.at(-1)?.number ?? 0) + 1;
    if (number > MOST_PARTS) throw tooLong(bytes.length);
    try {
      const part = await this.#store.multipart.uploadPart(upload, number, bytes);
      this.#progress = { upload, parts: [...parts, part] };
      this.#stored += bytes.length;
    } catch (error) {
      throw isUploadGone(error) ? new WriteConflict(S3, this.#place.path) : error;
    }
  }

  #release(): void {
    this.#gathered = 0;
    if (this.#buffer) this.#store.buffers.give(this.#buffer);
    this.#buffer = undefined;
  }
}

function endsShort(parts: readonly Part[]): boolean {
  const last = parts.at(-1);
  return last !== undefined && last.size < SMALLEST_PART;
}

function tooLong(part: number): StorageError {
  const text = `an upload has at most ${MOST_PARTS} parts: a larger storage.s3.chunksize than ${part} allows longer ones`;
  return new StorageError(S3, text);
}

function throwUnlessConflict(error: unknown): void {
  if (!(error instanceof WriteConflict)) throw error;
}
