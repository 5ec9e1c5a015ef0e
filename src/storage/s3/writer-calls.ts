import type { WriterState } from "../writer-state.ts";
import type { PartStream } from "./part-stream.ts";

/** The calls of a writer: one after the other, and none but its end after one that failed. */
export class WriterCalls {
  readonly #state: WriterState;
  readonly #stream: PartStream;
  #failure: unknown;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(state: WriterState, stream: PartStream) {
    this.#state = state;
    this.#stream = stream;
  }

  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /** Open, and nothing failed yet. */
  get isUsable(): boolean {
    return this.#state.isOpen && !this.failed;
  }

  inTurn<R>(work: () => Promise<R>): Promise<R> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  /** @throws what failed before */
  checkUsable(): void {
    this.#state.checkOpen();
    if (this.failed) throw this.#failure;
  }

  /** Lets go of the bytes that are gathered where the work fails. */
  async orFail(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#failure ??= error;
      await this.#stream.end();
      throw error;
    }
  }
}
