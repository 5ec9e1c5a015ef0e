/**
 * Buffers of one size that are lent to responses, within a limit on those lent and a smaller one on those kept.
 *
 * A buffer may be given back only by who holds it alone: after its write's callback, with no read into it under way. One
 * that is not given back is merely left to the garbage collector. {@link forget} then makes room for another.
 */
export class BufferPool {
  /** Bytes of each buffer. */
  readonly size: number;
  readonly #lendable: number;
  readonly #keepable: number;
  readonly #kept: Buffer[] = [];
  #lent = 0;

  /**
   * @param size bytes of a buffer
   * @param lendable bytes lent at once
   * @param keepable bytes kept for the next response
   */
  constructor(size: number, lendable: number, keepable: number) {
    this.size = size;
    this.#lendable = Math.floor(lendable / size);
    this.#keepable = Math.floor(keepable / size);
  }

  /** @returns undefined where all that may be lent is lent */
  take(): Buffer | undefined {
    if (this.#lent >= this.#lendable) return undefined;
    this.#lent += 1;
    return this.#kept.pop() ?? Buffer.allocUnsafeSlow(this.size);
  }

  give(buffer: Buffer): void {
    this.#lent -= 1;
    if (this.#kept.length < this.#keepable) this.#kept.push(buffer);
  }

  /** A lent buffer will not come back. */
  forget(): void {
    this.#lent -= 1;
  }
}
