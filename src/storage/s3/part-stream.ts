import type { Gatherer, PartBuffers } from "./part-buffers.ts";

/**
 * Bytes on their way to becoming parts: while one part is sent the next one is gathered, where there is memory for it. For
 * one caller at a time; what failed to be sent is told by the next call that sends or waits.
 */
export class PartStream {
  readonly #buffers: PartBuffers;
  readonly #gatherer: Gatherer;
  readonly #upload: (part: Buffer) => Promise<void>;
  #sending: Promise<void> | undefined;
  #sent = 0;
  #buffer: Buffer | undefined;
  #length = 0;

  /** @param upload gets one part after the other, each valid until it is done */
  constructor(buffers: PartBuffers, gatherer: Gatherer, upload: (part: Buffer) => Promise<void>) {
    this.#buffers = buffers;
    this.#gatherer = gatherer;
    this.#upload = upload;
  }

  /** Bytes that were added and are no part yet. */
  get size(): number {
    return this.#sent + this.#length;
  }

  /** Bytes of the part on its way. */
  get sent(): number {
    return this.#sent;
  }

  /** Bytes that wait to be sent. Valid until the next call. */
  get gathered(): Uint8Array {
    return this.#buffer?.subarray(0, this.#length) ?? new Uint8Array();
  }

  /** Copies the bytes. A full part stays until there is more, unless somebody sends it. */
  async add(chunk: Uint8Array): Promise<void> {
    for (let rest = chunk; rest.length > 0; ) {
      if (this.isFull) await this.send();
      const buffer = await this.#room();
      const fitting = rest.subarray(0, buffer.length - this.#length);
      buffer.set(fitting, this.#length);
      this.#length += fitting.length;
      rest = rest.subarray(fitting.length);
    }
  }

  get isFull(): boolean {
    return this.#buffer !== undefined && this.#length === this.#buffer.length;
  }

  /** Begins to send what is gathered, once the part before is there. */
  async send(): Promise<void> {
    await this.#sending;
    const buffer = this.#buffer;
    if (buffer === undefined) return;
    const part = buffer.subarray(0, this.#length);
    this.#buffer = undefined;
    this.#buffers.seal(buffer);
    this.#sent = this.#length;
    this.#length = 0;
    this.#sending = this.#upload(part).finally(() => {
      this.#sent = 0;
      this.#buffers.give(buffer);
    });
    this.#sending.catch(() => undefined); // the next call finds out
  }

  /** Until the part on its way is there. */
  async arrival(): Promise<void> {
    await this.#sending;
  }

  /** Sends what is gathered and waits until all is there. */
  async flush(): Promise<void> {
    if (this.#length > 0) await this.send();
    await this.#sending;
    this.drop();
  }

  /** Gives up what is gathered. */
  drop(): void {
    this.#length = 0;
    if (this.#buffer) this.#buffers.give(this.#buffer);
    this.#buffer = undefined;
  }

  /** Gives up what is gathered, once nothing is on its way. */
  async end(): Promise<void> {
    await this.#sending?.catch(() => undefined);
    this.drop();
  }

  /** A buffer that is not full. Who waits for one has no other. */
  async #room(): Promise<Buffer> {
    this.#buffer ??= this.#buffers.tryTake(this.#gatherer);
    if (this.#buffer === undefined) {
      await this.#sending;
      this.#buffer = await this.#buffers.take(this.#gatherer);
    }
    return this.#buffer;
  }
}
