/** How long to wait before another process takes the place of one that died. */
export interface RestartRules {
  /** ms a process has to live for its death to be no sign of the next one's. */
  readonly healthy: number;
  /** ms after the second early death in a row; doubled from one to the next. */
  readonly least: number;
  /** ms */
  readonly most: number;
}

const RESTARTS: RestartRules = { healthy: 10_000, least: 250, most: 30_000 };

/** Deaths of those that had the same place, in turn. */
export class Restarts {
  readonly #rules: RestartRules;
  #early = 0;

  constructor(rules: RestartRules = RESTARTS) {
    this.#rules = rules;
  }

  /**
   * @param lived ms that the last one lived
   * @returns ms to wait for the next one
   */
  next(lived: number): number {
    const { healthy, least, most } = this.#rules;
    if (lived >= healthy) this.#early = 0;
    else this.#early += 1;
    return this.#early < 2 ? 0 : Math.min(most, least * 2 ** (this.#early - 2));
  }
}
