/** Something there is only so much of, such as memory. Who asks for more than is left waits, first come first served. */
export class Budget {
  #left: number;
  readonly #waiting: { readonly amount: number; readonly admit: () => void }[] = [];

  constructor(total: number) {
    this.#left = total;
  }

  /**
   * @param amount no more than there is in total
   * @returns to be disposed of when it is not needed any more
   */
  async take(amount: number): Promise<Disposable> {
    if (this.#waiting.length > 0 || amount > this.#left) {
      await new Promise<void>((admit) => this.#waiting.push({ amount, admit }));
    } else {
      this.#left -= amount;
    }
    let given = false;
    return {
      [Symbol.dispose]: () => {
        if (!given) this.#give(amount);
        given = true;
      },
    };
  }

  #give(amount: number): void {
    this.#left += amount;
    for (let first = this.#waiting[0]; first && first.amount <= this.#left; first = this.#waiting[0]) {
      this.#waiting.shift();
      this.#left -= first.amount;
      first.admit();
    }
  }
}
