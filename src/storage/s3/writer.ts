import type { FileWriter } from "../driver.ts";
import { PathNotFound, WriteConflict } from "../errors.ts";
import { WriterState } from "../writer-state.ts";
import type { Part } from "./multipart.ts";
import { S3, SMALLEST_PART } from "./parameters.ts";
import type { Gatherer } from "./part-buffers.ts";
import { PartStream } from "./part-stream.ts";
import { isObject, type Progress, sizeOf, type Uploading, versionOf } from "./progress.ts";
import { readContent } from "./reader.ts";
import { appendPart, complete, type Place, type Store } from "./store.ts";
import { WriterCalls } from "./writer-calls.ts";

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

/** Appends parts to a multipart upload at the object's own key, as the peers do. Calls run one after the other. */
export class S3Writer implements FileWriter, Gatherer {
  readonly #store: Store;
  readonly #place: Place;
  readonly #state: WriterState = new WriterState(S3);
  readonly #stream: PartStream;
  readonly #calls: WriterCalls;
  #progress: Progress;
  /** Bytes that S3 has, not those on their way. */
  #stored: number;

  constructor(store: Store, place: Place, progress: Progress) {
    this.#store = store;
    this.#place = place;
    this.#progress = progress;
    this.#stored = sizeOf(progress);
    this.#stream = new PartStream(store.buffers, this, (part) => this.#upload(part));
    this.#calls = new WriterCalls(this.#state, this.#stream);
  }

  get size(): number {
    return this.#stored + this.#stream.size;
  }

  get version(): string {
    return versionOf(this.#progress);
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.#calls.inTurn(async () => {
      this.#calls.checkUsable();
      if (chunk.length > 0) await this.#calls.orFail(() => this.#gather(chunk));
    });
  }

  /** Sends what is gathered, be it too short: {@link write} knows a way on, which costs a copy. */
  hurry(): void {
    void this.#calls
      .inTurn(async () => {
        if (this.#calls.isUsable) await this.#calls.orFail(() => this.#stream.send());
      })
      .catch(() => undefined); // the next call finds out
  }

  /** After a failed write it keeps the parts that S3 has; {@link size} tells how many bytes. */
  close(): Promise<void> {
    return this.#calls.inTurn(() => this.#close());
  }

  commit(): Promise<void> {
    return this.#calls.inTurn(async () => {
      this.#calls.checkUsable();
      await this.#calls.orFail(async () => {
        await this.#stream.flush();
        await complete(this.#store, this.#place, this.#progress);
      });
      this.#state.commit();
    });
  }

  cancel(): Promise<void> {
    return this.#calls.inTurn(async () => {
      this.#state.cancel();
      await this.#stream.end();
      await discard(this.#store, this.#place);
    });
  }

  /** Says nothing of what failed before, nor of another writer that went on meanwhile. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#calls.inTurn(async () => {
      if (this.#calls.failed) return await this.#stream.end();
      if (this.#state.isOpen) await this.#close().catch(throwUnlessConflict);
    });
  }

  async #close(): Promise<void> {
    const isEnd = this.#calls.isUsable;
    this.#state.close();
    if (isEnd) await this.#calls.orFail(() => this.#stream.flush());
  }

  async #gather(chunk: Uint8Array): Promise<void> {
    await this.#prepare();
    await this.#stream.add(chunk);
    if (this.#stream.isFull) await this.#stream.send();
  }

  /** Only the last part of an upload may be short: behind a short one another upload is begun, with all that is there. */
  async #prepare(): Promise<void> {
    const { copying, multipart, objects } = this.#store;
    if (this.#stream.sent > 0 && this.#stream.sent < SMALLEST_PART) await this.#stream.arrival();
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
    await this.#stream.add(bytes);
    this.#stored = 0;
  }

  async #upload(part: Buffer): Promise<void> {
    if (isObject(this.#progress)) throw new WriteConflict(S3, this.#place.path);
    this.#progress = await appendPart(this.#store, this.#place, this.#progress, part);
    this.#stored += part.length;
  }
}

function endsShort(parts: readonly Part[]): boolean {
  const last = parts.at(-1);
  return last !== undefined && last.size < SMALLEST_PART;
}

function throwUnlessConflict(error: unknown): void {
  if (!(error instanceof WriteConflict)) throw error;
}
