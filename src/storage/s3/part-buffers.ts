/** Buffers that are kept when nobody uses them. */
const KEPT = 2;

/**
 * The memory in which parts of uploads are gathered, all of this process together: however many push at once, no more than
 * so many buffers are in use, and who wants one waits.
 */
export class PartBuffers {
  readonly #length: number;
  readonly #free: Buffer[] = [];
  readonly #waiting: ((buffer: Buffer) => void)[] = [];
  #unmade: number;

  /**
   * @param budget bytes of all buffers together; there are two at least
   * @param length bytes of a buffer
   */
  constructor(budget: number, length: number) {
    this.#length = length;
    this.#unmade = Math.max(2, Math.floor(budget / length));
  }

  /** To be given back. First come, first served. */
  async take(): Promise<Buffer> {
    return this.tryTake() ?? (await new Promise((resolve) => this.#waiting.push(resolve)));
  }

  /** @returns undefined where one would have to wait */
  tryTake(): Buffer | undefined {
    if (this.#waiting.length > 0) return undefined;
    const buffer = this.#free.pop();
    if (buffer !== undefined || this.#unmade === 0) return buffer;
    this.#unmade -= 1;
    return Buffer.allocUnsafeSlow(this.#length);
  }

  give(buffer: Buffer): void {
    const next = this.#waiting.shift();
    if (next) next(buffer);
    else if (this.#free.length < KEPT) this.#free.push(buffer);
    else this.#unmade += 1;
  }
}
