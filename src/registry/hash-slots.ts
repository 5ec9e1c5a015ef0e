/** Memory for chunks on their way to another thread. Who asks for a slot where none is free waits in turn. */
export class HashSlots {
  readonly memory: SharedArrayBuffer;
  readonly #size: number;
  readonly #free: number[];
  readonly #waiting: ((slot: number | undefined) => void)[] = [];
  #ended = false;

  /** @param size bytes of a slot */
  constructor(count: number, size: number) {
    this.memory = new SharedArrayBuffer(count * size);
    this.#size = size;
    this.#free = Array.from({ length: count }, (_, slot) => slot);
  }

  /** @returns undefined where it would have to be waited for */
  tryTake(): number | undefined {
    return this.#waiting.length > 0 ? undefined : this.#free.pop();
  }

  /** @returns undefined after the end */
  async take(): Promise<number | undefined> {
    if (this.#ended) return undefined;
    return this.tryTake() ?? (await new Promise((resolve) => this.#waiting.push(resolve)));
  }

  /** @param bytes no more than fit */
  fill(slot: number, bytes: Uint8Array): void {
    new Uint8Array(this.memory, slot * this.#size, bytes.length).set(bytes);
  }

  give(slot: number): void {
    const next = this.#waiting.shift();
    if (next) next(slot);
    else this.#free.push(slot);
  }

  /** Nobody gives any back from now on. */
  end(): void {
    this.#ended = true;
    this.#free.length = 0;
    for (const resolve of this.#waiting.splice(0)) resolve(undefined);
  }
}
