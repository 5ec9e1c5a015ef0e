import { DatabaseSync } from "node:sqlite";

/**
 * Which one of the processes on a folder delivers: the one that has a transaction open on a file of its own. The kernel ends
 * it with the process, however that ends.
 */
export class DeliveryLock implements Disposable {
  readonly #database: DatabaseSync;
  #held = false;

  /** @throws {Error} where the file cannot be used */
  constructor(path: string) {
    this.#database = new DatabaseSync(path, { timeout: 0 });
  }

  /** Whether this process has it, from now on if nobody had it. */
  take(): boolean {
    if (this.#held) return true;
    try {
      this.#database.exec("BEGIN EXCLUSIVE");
      this.#held = true;
    } catch (error) {
      if (!(error instanceof Error && "errcode" in error && error.errcode === BUSY)) throw error;
    }
    return this.#held;
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}

/** @see https://sqlite.org/rescode.html#busy */
const BUSY = 5;
