/** Buffers that are kept when nobody uses them. */
const KEPT = 2;

/** Who gathers bytes in a buffer. */
export interface Gatherer {
  /** Others have waited for a buffer as long as it may have one: it is to send what it has. */
  hurry(): void;
}

export interface PartBuffersOptions {
  /** Bytes of all buffers together; there are two at least. */
  readonly budget: number;
  /** Bytes of a buffer. */
  readonly length: number;
  /** ms for which one gatherer may have a buffer while others wait for one. */
  readonly tenure: number;
}

/**
 * The memory in which parts of uploads are gathered, all of this process together: however many push at once, no more than
 * so many buffers are in use, and who wants one waits. Slow clients do not keep the others waiting for long.
 */
export class PartBuffers {
  readonly #length: number;
  readonly #tenure: number;
  readonly #free: Buffer[] = [];
  readonly #waiting: ((buffer: Buffer) => void)[] = [];
  /** The oldest first. */
  readonly #gathering = new Map<Buffer, { readonly gatherer: Gatherer; readonly since: number }>();
  #unmade: number;
  #lent = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor({ budget, length, tenure }: PartBuffersOptions) {
    this.#length = length;
    this.#tenure = tenure;
    this.#unmade = Math.max(2, Math.floor(budget / length));
  }

  /** To be given back. First come, first served. */
  async take(gatherer: Gatherer): Promise<Buffer> {
    const buffer = this.tryTake(gatherer);
    if (buffer !== undefined) return buffer;
    const promise = new Promise<Buffer>((resolve) => this.#waiting.push(resolve));
    this.#watch();
    return this.#lend(await promise, gatherer);
  }

  /** @returns undefined where one would have to wait */
  tryTake(gatherer: Gatherer): Buffer | undefined {
    if (this.#waiting.length > 0) return undefined;
    const buffer = this.#free.pop() ?? this.#make();
    if (buffer === undefined) return undefined;
    this.#lent += 1;
    return this.#lend(buffer, gatherer);
  }

  #make(): Buffer | undefined {
    if (this.#unmade === 0) return undefined;
    this.#unmade -= 1;
    return Buffer.allocUnsafeSlow(this.#length);
  }

  /** It is on its way: nobody can hurry it. */
  seal(buffer: Buffer): void {
    this.#gathering.delete(buffer);
  }

  give(buffer: Buffer): void {
    this.#gathering.delete(buffer);
    const next = this.#waiting.shift();
    if (next) next(buffer);
    else this.#keep(buffer);
  }

  /** All of them while some are in use: dropped ones would stay in memory until they are collected. */
  #keep(buffer: Buffer): void {
    this.#lent -= 1;
    this.#free.push(buffer);
    if (this.#lent > 0) return;
    this.#unmade += Math.max(0, this.#free.length - KEPT);
    this.#free.length = Math.min(this.#free.length, KEPT);
  }

  #lend(buffer: Buffer, gatherer: Gatherer): Buffer {
    this.#gathering.set(buffer, { gatherer, since: performance.now() });
    return buffer;
  }

  #watch(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.#waiting.length === 0) return;
      this.#hurry();
      this.#watch();
    }, this.#tenure).unref();
  }

  #hurry(): void {
    const latest = performance.now() - this.#tenure;
    const overdue = [...this.#gathering.values()].filter(({ since }) => since <= latest);
    for (const { gatherer } of overdue.slice(0, this.#waiting.length)) gatherer.hurry();
  }
}
