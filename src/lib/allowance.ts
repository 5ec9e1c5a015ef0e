/** So many in each period, and how many were too many: for what an attacker could make endless. */
export class Allowance {
  readonly #most: number;
  readonly #period: number;
  readonly #now: () => number;
  #end = Number.NEGATIVE_INFINITY;
  #left = 0;
  #refused = 0;

  /**
   * @param period ms
   * @param now ms, never going back
   */
  constructor(most: number, period: number, now: () => number = () => performance.now()) {
    this.#most = most;
    this.#period = period;
    this.#now = now;
  }

  /** @returns how many were refused since the last that was not, or undefined where this one is */
  take(): number | undefined {
    const now = this.#now();
    if (now >= this.#end) {
      this.#end = now + this.#period;
      this.#left = this.#most;
    }
    if (this.#left === 0) {
      this.#refused += 1;
      return undefined;
    }
    this.#left -= 1;
    const refused = this.#refused;
    this.#refused = 0;
    return refused;
  }
}
