export interface BudgetOptions {
  /** Most that wait at once. */
  readonly limit: number;
  /** What is thrown to any other that would have to. */
  readonly toError: () => Error;
}

/** Something there is only so much of, such as memory. Who asks for more than is left waits, first come first served. */
export class Budget {
  #left: number;
  readonly #options: BudgetOptions | undefined;
  readonly #waiting: { readonly amount: number; readonly admit: () => void }[] = [];

  constructor(total: number, options?: BudgetOptions) {
    this.#left = total;
    this.#options = options;
  }

  /**
   * @param amount no more than there is in total
   * @param signal ends the waiting with its reason
   * @returns to be disposed of when it is not needed any more
   */
  async take(amount: number, { signal }: { readonly signal?: AbortSignal } = {}): Promise<Disposable> {
    signal?.throwIfAborted();
    if (this.#waiting.length > 0 || amount > this.#left) await this.#wait(amount, signal);
    else this.#left -= amount;
    let given = false;
    return {
      [Symbol.dispose]: () => {
        if (!given) this.#give(amount);
        given = true;
      },
    };
  }

  async #wait(amount: number, signal: AbortSignal | undefined): Promise<void> {
    if (this.#options && this.#waiting.length >= this.#options.limit) throw this.#options.toError();
    const { promise, resolve: admit, reject } = Promise.withResolvers<void>();
    const waiter = { amount, admit };
    const leave = (): void => {
      const place = this.#waiting.indexOf(waiter);
      if (place < 0) return; // admitted a moment ago
      this.#waiting.splice(place, 1);
      reject(signal?.reason);
      this.#admit();
    };
    this.#waiting.push(waiter);
    signal?.addEventListener("abort", leave, { once: true });
    try {
      await promise;
    } finally {
      signal?.removeEventListener("abort", leave);
    }
  }

  #give(amount: number): void {
    this.#left += amount;
    this.#admit();
  }

  #admit(): void {
    for (let first = this.#waiting[0]; first && first.amount <= this.#left; first = this.#waiting[0]) {
      this.#waiting.shift();
      this.#left -= first.amount;
      first.admit();
    }
  }
}
