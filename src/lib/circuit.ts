/** Failures in a row after which something counts as down. */
const FAILURES = 3;

export interface CircuitOptions {
  /** ms until something that is down is tried again. */
  readonly pause: number;
  /** Told once when it goes down, and at each attempt in vain. */
  readonly onDown: (error: unknown, first: boolean) => void;
  /** @param spared calls that were not made meanwhile */
  readonly onBack: (spared: number) => void;
  /** ms, never going back */
  readonly now?: () => number;
}

/** What is thrown instead of a call to something that is down. */
class CircuitOpen extends Error {
  override readonly name = "CircuitOpen";
}

/**
 * Stops calling something that is down, so that nobody waits for it in vain. After a pause one call at a time tries whether
 * it is back.
 */
export class Circuit {
  readonly #options: CircuitOptions;
  readonly #now: () => number;
  #failures = 0;
  /** While it is down. */
  #retryAt: number | undefined;
  #trying = false;
  #spared = 0;

  constructor(options: CircuitOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** @throws {Error} where it is down, and whatever `call` does */
  async run<T>(call: () => Promise<T>): Promise<T> {
    const trial = this.#enter();
    try {
      const result = await call();
      this.#succeeded(trial);
      return result;
    } catch (error) {
      this.#failed(error, trial);
      throw error;
    } finally {
      if (trial) this.#trying = false;
    }
  }

  /** For a failure outside of a call, after which nothing is tried for a while. */
  open(error: unknown): void {
    const first = this.#retryAt === undefined;
    this.#retryAt = this.#now() + this.#options.pause;
    this.#options.onDown(error, first);
  }

  /** @returns whether the call is the one that tries */
  #enter(): boolean {
    if (this.#retryAt === undefined) return false;
    if (this.#trying || this.#now() < this.#retryAt) {
      this.#spared += 1;
      throw new CircuitOpen();
    }
    this.#trying = true;
    return true;
  }

  #succeeded(trial: boolean): void {
    if (this.#retryAt !== undefined && !trial) return; // it began before the failures
    this.#failures = 0;
    if (!trial) return;
    this.#retryAt = undefined;
    this.#options.onBack(this.#spared);
    this.#spared = 0;
  }

  #failed(error: unknown, trial: boolean): void {
    this.#failures += 1;
    if (trial || (this.#retryAt === undefined && this.#failures >= FAILURES)) this.open(error);
  }
}
