import type { Command } from "./redis-connection.ts";

/** Keys that wait to be cleared; beyond them Redis has to be emptied by hand. Some 50 MB. */
const MOST = 100_000;

/**
 * Entries that must go, until they are gone. A Redis that is down, or too slow to say so, still has them when it is back:
 * they do not count here meanwhile, and are cleared as soon as it answers.
 */
export class PendingClears {
  readonly #pending = new Map<string, readonly Command[]>();
  readonly #transact: (commands: readonly Command[]) => Promise<void>;
  readonly #pause: number;
  readonly #warn: (message: string, fields: Readonly<Record<string, unknown>>) => void;
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> | undefined;
  #ended = false;

  /**
   * @param transact rejects where Redis may not have done it
   * @param pause ms between attempts
   */
  constructor(
    transact: (commands: readonly Command[]) => Promise<void>,
    pause: number,
    warn: (message: string, fields: Readonly<Record<string, unknown>>) => void,
  ) {
    this.#transact = transact;
    this.#pause = pause;
    this.#warn = warn;
  }

  has(key: string): boolean {
    return this.#pending.has(key);
  }

  /** One attempt now; others follow on their own. */
  async clear(key: string, commands: readonly Command[]): Promise<void> {
    this.#pending.set(key, commands);
    if (!(await this.#attempt(key, commands))) this.#tryLater();
    this.#keepBound();
  }

  /** One more attempt, the last. */
  async end(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    if (this.#pending.size > 0) this.#retry();
    await this.#flushing;
    const { size } = this.#pending;
    if (size > 0) this.#warn(`Redis holds ${size} entries that were deleted: empty it before it is used again`, {});
  }

  /** Tries all of them, until one fails. */
  #retry(): void {
    this.#timer = undefined;
    this.#flushing ??= this.#flush().finally(() => {
      this.#flushing = undefined;
    });
  }

  async #flush(): Promise<void> {
    for (const [key, commands] of this.#pending) {
      if (!(await this.#attempt(key, commands))) return this.#tryLater();
    }
  }

  async #attempt(key: string, commands: readonly Command[]): Promise<boolean> {
    try {
      await this.#transact(commands);
      if (this.#pending.get(key) === commands) this.#pending.delete(key);
      return true;
    } catch {
      return false;
    }
  }

  #tryLater(): void {
    if (this.#ended) return;
    this.#timer ??= setTimeout(() => this.#retry(), this.#pause).unref();
  }

  #keepBound(): void {
    if (this.#pending.size <= MOST) return;
    const [oldest] = this.#pending.keys();
    if (oldest !== undefined) this.#pending.delete(oldest);
    this.#warn("Redis is down and too much was deleted meanwhile: empty it before it is started again", {});
  }
}
