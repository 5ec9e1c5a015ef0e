import { within } from "../lib/deadline.ts";
import type { Check } from "./check.ts";

export interface CheckSchedule {
  /** ms between two looks; the first comes after one of them. 0: 10 s */
  readonly interval: number;
  /** Failures in a row from which it counts; 0 or less: each does. */
  readonly threshold: number;
  /** ms a look may take; not set, or longer than the interval: as long as that. */
  readonly timeout?: number | undefined;
}

const DEFAULT_INTERVAL = 10_000;

/** Looks after what a registry depends on, until disposed of. Healthy is what was not found to fail. */
export class Health implements Disposable {
  readonly #watches = new Set<Watch>();
  readonly #tell: (check: string, failure: string | undefined) => void;

  /** @param tell told when a check begins to fail, and when it has succeeded again */
  constructor(tell: (check: string, failure: string | undefined) => void) {
    this.#tell = tell;
  }

  /**
   * @param check whose name no other one has
   * @returns what ends it when it is disposed of
   */
  watch(check: Check, schedule: CheckSchedule): Disposable {
    const watch = new Watch(check, schedule, (failure) => this.#tell(check.name, failure));
    this.#watches.add(watch);
    return {
      [Symbol.dispose]: () => {
        watch[Symbol.dispose]();
        this.#watches.delete(watch);
      },
    };
  }

  isHealthy(): boolean {
    return [...this.#watches].every(({ failure }) => failure === undefined);
  }

  /** What fails, by the name of its check. */
  failures(): Readonly<Record<string, string>> {
    return Object.fromEntries(
      [...this.#watches].flatMap(({ name, failure }) => (failure === undefined ? [] : [[name, failure]])),
    );
  }

  /** Names of all checks. */
  checks(): readonly string[] {
    return [...this.#watches].map(({ name }) => name);
  }

  [Symbol.dispose](): void {
    for (const watch of this.#watches) watch[Symbol.dispose]();
  }
}

class Watch implements Disposable {
  readonly name: string;
  failure: string | undefined;
  readonly #check: Check;
  readonly #threshold: number;
  readonly #limit: number;
  readonly #timer: NodeJS.Timeout;
  readonly #tell: (failure: string | undefined) => void;
  /** Failures in a row. */
  #failed = 0;
  /** A look has not ended, though perhaps nobody waits for it any more. */
  #running = false;
  #awaited = false;

  constructor(
    check: Check,
    { interval, threshold, timeout }: CheckSchedule,
    tell: (failure: string | undefined) => void,
  ) {
    const every = interval || DEFAULT_INTERVAL;
    this.name = check.name;
    this.#check = check;
    this.#threshold = Math.max(1, threshold);
    this.#limit = Math.min(timeout || every, every);
    this.#tell = tell;
    this.#timer = setInterval(() => void this.#look(), every);
    this.#timer.unref();
  }

  /** One at a time: where the one before hangs, that is the answer. */
  async #look(): Promise<void> {
    if (this.#awaited) return;
    if (this.#running) return this.#note("the check before has not ended yet");
    const stop = new AbortController();
    this.#running = true;
    this.#awaited = true;
    try {
      await within(this.#limit, this.#run(stop.signal));
      this.#note(undefined);
    } catch (error) {
      this.#note(error instanceof Error ? error.message : String(error));
    } finally {
      this.#awaited = false;
      stop.abort();
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    try {
      await this.#check.look(signal);
    } finally {
      this.#running = false;
    }
  }

  #note(failure: string | undefined): void {
    this.#failed = failure === undefined ? 0 : this.#failed + 1;
    const before = this.failure;
    this.failure = this.#failed >= this.#threshold ? failure : undefined;
    if ((before === undefined) !== (this.failure === undefined)) this.#tell(this.failure);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
