import { waited } from "./waited.ts";

export interface LivenessOptions {
  /** Asks for something small. Rejects where what is asked is dead. */
  readonly probe: () => Promise<unknown>;
  /** ms for an answer to the probe; from then on it is down, until the same probe is answered after all. */
  readonly patience: number;
  /** ms between a probe in vain and the next one. */
  readonly pause: number;
  /** Told once when it goes down. */
  readonly onDown: (error: unknown) => void;
  /** @param time ms that it was down */
  readonly onBack: (time: number) => void;
  /** ms, never going back */
  readonly now?: () => number;
}

/**
 * Whether something that many depend on is alive. It is probed when somebody doubts it, and then until it answers, one probe
 * at a time. Nobody's own call decides: it may take long, and what it is about may be the only thing that is broken.
 */
export class Liveness implements Disposable {
  readonly #options: LivenessOptions;
  readonly #now: () => number;
  readonly #end = new AbortController();
  #probing = false;
  #downSince: number | undefined;

  constructor(options: LivenessOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  get isDown(): boolean {
    return this.#downSince !== undefined;
  }

  /** Something makes believe that it is dead. */
  doubt(): void {
    if (this.#probing || this.#end.signal.aborted) return;
    this.#probing = true;
    void this.#probeUntilAlive();
  }

  [Symbol.dispose](): void {
    this.#end.abort();
  }

  async #probeUntilAlive(): Promise<void> {
    let alive = await this.#probe();
    while (!alive && (await waited(this.#options.pause, this.#end.signal))) alive = await this.#probe();
    this.#probing = false;
  }

  async #probe(): Promise<boolean> {
    const { probe, patience } = this.#options;
    const late = (): void => this.#fall(new Error(`no answer within ${patience} ms`));
    const timer = setTimeout(late, patience).unref();
    try {
      await probe();
      this.#rise();
      return true;
    } catch (error) {
      this.#fall(error);
      return false;
    } finally {
      clearTimeout(timer);
    }
  }

  #fall(error: unknown): void {
    if (this.isDown || this.#end.signal.aborted) return;
    this.#downSince = this.#now();
    this.#options.onDown(error);
  }

  #rise(): void {
    if (this.#downSince === undefined || this.#end.signal.aborted) return;
    const time = this.#now() - this.#downSince;
    this.#downSince = undefined;
    this.#options.onBack(time);
  }
}
