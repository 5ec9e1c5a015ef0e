import type { AtomicWriter } from "../driver.ts";
import { StorageError } from "../errors.ts";
import { WriterState } from "../writer-state.ts";
import { S3, SMALLEST_PART } from "./parameters.ts";
import type { Gatherer } from "./part-buffers.ts";
import { PartStream } from "./part-stream.ts";
import type { Uploading } from "./progress.ts";
import { readContent } from "./reader.ts";
import { appendPart, complete, type Place, type Store } from "./store.ts";
import { WriterCalls } from "./writer-calls.ts";

/**
 * Writes one object: in one request where it is no longer than a part, else by a multipart upload that is completed at the
 * commit. S3 is asked for nothing before the first part is full. Calls run one after the other.
 */
export class S3AtomicWriter implements AtomicWriter, Gatherer {
  readonly #store: Store;
  readonly #place: Place;
  readonly #aside: Place;
  readonly #state: WriterState = new WriterState(S3);
  readonly #stream: PartStream;
  readonly #calls: WriterCalls;
  #uploading: Uploading | undefined;
  /** Bytes of the parts that S3 has. */
  #stored = 0;
  /** Bytes that lie aside, behind those. */
  #lying = 0;
  #usedAside = false;

  constructor(store: Store, place: Place, aside: Place) {
    this.#store = store;
    this.#place = place;
    this.#aside = aside;
    this.#stream = new PartStream(store.buffers, this, (part) => this.#upload(part));
    this.#calls = new WriterCalls(this.#state, this.#stream);
  }

  get size(): number {
    return this.#stored + this.#lying + this.#stream.size;
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.#calls.inTurn(async () => {
      this.#calls.checkUsable();
      await this.#calls.orFail(async () => {
        await this.#takeBack();
        await this.#stream.add(chunk);
      });
    });
  }

  commit(): Promise<void> {
    return this.#calls.inTurn(async () => {
      this.#calls.checkUsable();
      await this.#calls.orFail(async () => {
        await this.#takeBack();
        await this.#finish();
      });
      this.#state.commit();
    });
  }

  /** What S3 has too little of for a part cannot be one, as more may come: it lies aside meanwhile. */
  hurry(): void {
    void this.#calls
      .inTurn(async () => {
        if (!this.#calls.isUsable) return;
        await this.#calls.orFail(() =>
          this.#stream.gathered.length < SMALLEST_PART ? this.#putAside() : this.#stream.send(),
        );
      })
      .catch(() => undefined); // the next call finds out
  }

  /** Says nothing where S3 fails: what stays is found by whoever looks for unfinished objects. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#calls.inTurn(async () => {
      await this.#stream.end();
      await this.#clean().catch(() => undefined);
      if (this.#state.isOpen) this.#state.cancel();
    });
  }

  async #finish(): Promise<void> {
    await this.#stream.arrival();
    if (this.#uploading === undefined) {
      const { gathered } = this.#stream;
      await this.#store.objects.put(this.#place.key, gathered);
      this.#stored = gathered.length;
      this.#stream.drop();
    } else {
      await this.#stream.flush();
      await complete(this.#store, this.#place, this.#uploading);
    }
  }

  async #upload(part: Buffer): Promise<void> {
    this.#uploading ??= { upload: await this.#store.multipart.create(this.#place.key), parts: [] };
    this.#uploading = await appendPart(this.#store, this.#place, this.#uploading, part);
    this.#stored += part.length;
  }

  async #putAside(): Promise<void> {
    const { gathered } = this.#stream;
    if (gathered.length === 0) return;
    this.#usedAside = true;
    await this.#store.objects.put(this.#aside.key, gathered);
    this.#lying = gathered.length;
    this.#stream.drop();
  }

  async #takeBack(): Promise<void> {
    if (this.#lying === 0) return;
    const bytes = await readContent(this.#store.objects, this.#aside.key, this.#aside.path);
    if (bytes.length !== this.#lying) throw new StorageError(S3, `others than its writer changed ${this.#aside.path}`);
    this.#lying = 0;
    await this.#stream.add(bytes);
  }

  async #clean(): Promise<void> {
    const { multipart, objects } = this.#store;
    const pending = this.#state.isOpen ? this.#uploading?.upload : undefined;
    await Promise.all([
      pending && multipart.abort(pending),
      this.#usedAside ? objects.remove(this.#aside.key) : undefined,
    ]);
  }
}
