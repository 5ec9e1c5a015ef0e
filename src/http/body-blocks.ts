import type { IncomingMessage } from "node:http";
import { finished } from "node:stream";
import { withRoom } from "../lib/growing-buffer.ts";

/** Bytes of a block. A writer of files stores multiples of its own as they are. */
export const LARGE_BLOCK: number = 512 * 1024;

/** The same where many bodies come at once. */
const SMALL_BLOCK = 64 * 1024;
const MANY = 32;

/** How long bytes wait for others that fill their block, where somebody waits for them. ms */
const PATIENCE = 100;

/** Bodies that come just now. */
const coming = new Set<BodyBlocks>();

/**
 * A body in blocks, of which one is filled while whoever takes them is at the one before. The runtime gives 64 KiB at a time, and
 * each would go through many promises and one call of the system: "push a 256 MiB blob" of `npm run bench` 297 MiB/s as they
 * came, 350 in blocks of 256 KiB, 415 of 512.
 */
export class BodyBlocks implements Disposable {
  readonly #request: IncomingMessage;
  readonly #onBytes: () => void;
  readonly #unwatch: () => void;
  readonly #size: number = coming.size < MANY ? LARGE_BLOCK : SMALL_BLOCK;
  #filling: Buffer | undefined;
  #filled = 0;
  /** With who takes them, until the next is asked for. */
  #lent: Buffer | undefined;
  /** Of a chunk that found no room. */
  #rest: Uint8Array | undefined;
  #end: { readonly error?: Error | null | undefined } | undefined;
  /** Of who waits for the next block. */
  #wake: (() => void) | undefined;
  /** Runs while bytes wait for others. */
  #patience: NodeJS.Timeout | undefined;

  /** @param onBytes called whenever some come */
  constructor(request: IncomingMessage, onBytes: () => void) {
    this.#request = request;
    this.#onBytes = onBytes;
    coming.add(this);
    this.#unwatch = finished(request, { writable: false }, (error) => {
      this.#end = { error };
      this.#wake?.();
    });
    request.on("data", this.#take);
  }

  /**
   * Full, unless the rest does not come soon. What the one before had may be overwritten. One call at a time.
   * @returns undefined at the end
   * @throws {Error} after the last bytes of a body that was cut
   */
  async next(): Promise<Uint8Array | undefined> {
    if (!this.#isFull && !this.#end) await this.#more();
    if (this.#filled > 0) return this.#lend();
    if (this.#end?.error) throw this.#end.error;
    return undefined;
  }

  /** Whoever else listens reads on. */
  [Symbol.dispose](): void {
    coming.delete(this);
    this.#unwatch();
    clearTimeout(this.#patience);
    this.#request.off("data", this.#take);
    if (this.#request.listenerCount("data") > 0) this.#request.resume();
    else this.#request.pause();
  }

  /** Resolves with a full block, at the end, or when there are bytes that have waited for long enough. */
  async #more(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (this.#filled > 0) this.#beginPatience();
    });
    this.#wake = undefined;
    clearTimeout(this.#patience);
    this.#patience = undefined;
  }

  #beginPatience(): void {
    this.#patience ??= setTimeout(() => this.#wake?.(), PATIENCE);
  }

  /** Whether no other listener, nor the runtime, has a use for a chunk. */
  get #isAlone(): boolean {
    return this.#request.httpVersionMajor === 1 && this.#request.listenerCount("data") === 1;
  }

  get #isFull(): boolean {
    return this.#filled === this.#size;
  }

  readonly #take = (chunk: Uint8Array): void => {
    this.#onBytes();
    this.#fill(chunk);
    if (this.#wake && !this.#isFull) this.#beginPatience();
  };

  #fill(chunk: Uint8Array): void {
    const fitting = chunk.subarray(0, this.#size - this.#filled);
    this.#filling = withRoom(this.#filling, this.#filled, this.#filled + fitting.length, this.#size);
    this.#filling.set(fitting, this.#filled);
    this.#filled += fitting.length;
    if (fitting.length < chunk.length) this.#rest = chunk.subarray(fitting.length);
    else if (this.#isAlone) free(chunk);
    if (!this.#isFull) return;
    this.#request.pause();
    this.#wake?.();
  }

  #lend(): Uint8Array | undefined {
    const block = this.#filling?.subarray(0, this.#filled);
    [this.#filling, this.#lent] = [this.#lent, this.#filling];
    this.#filled = 0;
    const rest = this.#rest;
    this.#rest = undefined;
    if (rest) this.#fill(rest);
    if (!this.#isFull && !this.#end) this.#request.resume();
    return block;
  }
}

/**
 * Gives back a chunk of its own, as the parser of HTTP/1 makes them; in HTTP/2 the runtime may still be reading there. Left to the
 * collector, chunks stay until it next looks at young objects, and each is written to memory that is in no cache.
 */
function free(chunk: Uint8Array): void {
  const { buffer, byteLength } = chunk;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}
