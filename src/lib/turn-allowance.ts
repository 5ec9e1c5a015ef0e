/** So many of something that blocks in one turn of the event loop; what comes beyond has to go another way. */
export class TurnAllowance {
  readonly #most: number;
  #left: number;
  #isCounting = false;

  constructor(most: number) {
    this.#most = most;
    this.#left = most;
  }

  /** @returns whether one more may be done now */
  take(): boolean {
    if (this.#left === 0) return false;
    this.#left -= 1;
    if (!this.#isCounting) this.#count();
    return true;
  }

  #count(): void {
    this.#isCounting = true;
    setImmediate(() => {
      this.#isCounting = false;
      this.#left = this.#most;
    });
  }
}
