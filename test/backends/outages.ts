import assert from "node:assert/strict";
import type { Fetch } from "../support/registry-client.ts";

/** A request that an end of a node may have cut off: its client asks again. */
class Disturbed extends Error {
  override readonly name = "Disturbed";
}

/**
 * When nodes were down. What a client may see only then is told apart by it: answers of nginx in a node's place, and those
 * of the other node to a request that nginx repeated, or that met what the first node had half done.
 */
export class Outages {
  #answered = 0;
  #changes = 0;
  #down = 0;
  #waiting: { readonly until: number; readonly resolve: () => void }[] = [];
  readonly #end = Promise.withResolvers<never>();
  #isOver = false;

  constructor() {
    this.#end.promise.catch(() => undefined); // who waits is told
  }

  begin(): void {
    this.#down += 1;
    this.#changes += 1;
  }

  end(): void {
    this.#down -= 1;
    this.#changes += 1;
  }

  /** All of these at once. The first failure ends the others too, and is thrown when they have ended. */
  async together(work: readonly (() => Promise<void>)[]): Promise<void> {
    const running = work.map(async (each) => {
      try {
        await each();
      } catch (error) {
        this.#isOver = true;
        this.#end.reject(error);
      }
    });
    await Promise.all(running);
    if (this.#isOver) await this.#end.promise;
  }

  /** Waits until clients got so many answers more. */
  async pass(answers: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ until: this.#answered + answers, resolve });
    await Promise.race([promise, this.#end.promise]);
  }

  /** For a client that goes on with {@link persist}. */
  readonly fetch: Fetch = async (url, init) => {
    const mark = this.#mark();
    const answer = await fetch(url, init);
    this.#count();
    if (!this.#mayBeOfAnOutage(answer.status, init?.method) || !this.#touched(mark)) return answer;
    await answer.body?.cancel();
    throw new Disturbed(`${init?.method ?? "GET"} ${url}: ${answer.status}`);
  };

  /** Does it again where it failed and a node was down meanwhile. Right answers and wrong ones are nobody's outage. */
  async persist<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      const mark = this.#mark();
      try {
        return await work();
      } catch (error) {
        if (this.#isOver || error instanceof assert.AssertionError || !this.#touched(mark)) throw error;
      }
    }
  }

  /** A commit that nginx repeats finds no session; bytes of a node that died may arrive after the client asked for them. */
  #mayBeOfAnOutage(status: number, method = "GET"): boolean {
    if (status === 404) return method === "PUT";
    if (status === 416) return method === "PUT" || method === "PATCH";
    return status === 502 || status === 503;
  }

  #mark(): number {
    return this.#down > 0 ? -1 : this.#changes;
  }

  #touched(mark: number): boolean {
    return mark !== this.#changes;
  }

  #count(): void {
    this.#answered += 1;
    const ready = this.#waiting.filter(({ until }) => until <= this.#answered);
    this.#waiting = this.#waiting.filter(({ until }) => until > this.#answered);
    for (const { resolve } of ready) resolve();
  }
}
