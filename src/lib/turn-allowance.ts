/** So many of something that blocks in one turn of the event loop; what comes beyond has to wait, or go another way. */
export class TurnAllowance {
  readonly #most: number;
  #left: number;
  /** Of the next turn, from the first that is taken in this one. */
  #next: Promise<void> | undefined;

  constructor(most: number) {
    this.#most = most;
    this.#left = most;
  }

  /** @returns whether one more may be done now */
  take(): boolean {
    if (this.#left === 0) return false;
    this.#left -= 1;
    this.#next ??= this.#renew();
    return true;
  }

  /** @returns until when to wait for more; undefined where there are some */
  wait(): Promise<void> | undefined {
    return this.#left === 0 ? this.#next : undefined;
  }

  #renew(): Promise<void> {
    return new Promise((resolve) => {
      setImmediate(() => {
        this.#next = undefined;
        this.#left = this.#most;
        resolve();
      });
    });
  }
}
