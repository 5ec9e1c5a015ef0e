/** Keys of a page: what is in memory is never copied to make room for more. */
const PAGE = 4096;
const WORD = 4;

/** Keys of one width, each with the number of those that came before it. */
export class TarsumKeys {
  /** Bytes of a key, a multiple of 4. */
  readonly width: number;
  readonly #pages: Buffer[] = [];
  #count = 0;

  constructor(width: number) {
    this.width = width;
  }

  get count(): number {
    return this.#count;
  }

  /** Keeps nothing of the key, and takes no more of it than the width. */
  add(key: Buffer): void {
    const at = this.#count++;
    if (at % PAGE === 0) this.#pages.push(Buffer.alloc(PAGE * this.width));
    key.copy(this.#pageOf(at), this.#startOf(at), 0, this.width);
  }

  word(i: number, word: number): number {
    return this.#pageOf(i).readUInt32BE(this.#startOf(i) + word * WORD);
  }

  areEqual(i: number, j: number): boolean {
    if (this.word(i, 0) !== this.word(j, 0)) return false; // most often, and ten times as fast
    const [a, b] = [this.#startOf(i), this.#startOf(j)];
    return this.#pageOf(i).compare(this.#pageOf(j), b, b + this.width, a, a + this.width) === 0;
  }

  /** To the place of number `at` of the target. */
  copy(i: number, target: Buffer, at: number): void {
    const start = this.#startOf(i);
    this.#pageOf(i).copy(target, at * this.width, start, start + this.width);
  }

  #pageOf(i: number): Buffer {
    return this.#pages[Math.floor(i / PAGE)] ?? Buffer.alloc(0);
  }

  #startOf(i: number): number {
    return (i % PAGE) * this.width;
  }
}
