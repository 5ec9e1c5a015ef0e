export const REFUSED_ELSEWHERE = "another worker cannot use it";

/** Whether several can do something, decided once all have said so, or one has said that it cannot. */
export class Accord {
  readonly #decision = Promise.withResolvers<void>();
  #missing: number;

  /** @param count of those that are to be heard */
  constructor(count: number) {
    this.#missing = count;
    this.#decision.promise.catch(() => undefined); // whoever waits hears of it
    if (count === 0) this.#decision.resolve();
  }

  /**
   * Resolves when all are able.
   * @throws {Error} where one is not
   */
  get made(): Promise<void> {
    return this.#decision.promise;
  }

  /** @returns as {@link made} */
  vote(able: boolean): Promise<void> {
    this.#missing -= 1;
    if (!able) this.refuse(REFUSED_ELSEWHERE);
    else if (this.#missing === 0) this.#decision.resolve();
    return this.made;
  }

  refuse(reason: string): void {
    this.#decision.reject(new Error(reason));
  }
}
