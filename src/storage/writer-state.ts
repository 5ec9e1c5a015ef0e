import { WriterClosed } from "./errors.ts";

/** Which calls a writer still takes, the same for every driver. */
export class WriterState {
  readonly #driver: string;
  #state: "open" | "committed" | "cancelled" | "closed" = "open";

  constructor(driver: string) {
    this.#driver = driver;
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** @throws {WriterClosed} */
  checkOpen(): void {
    if (this.#state !== "open") throw new WriterClosed(this.#driver, `already ${this.#state}`);
  }

  commit(): void {
    this.checkOpen();
    this.#state = "committed";
  }

  cancel(): void {
    this.checkOpen();
    this.#state = "cancelled";
  }

  /** Once after a commit, too. */
  close(): void {
    if (this.#state !== "committed") this.checkOpen();
    this.#state = "closed";
  }
}
