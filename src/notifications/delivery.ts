import { countStatus, type EndpointFigures } from "./endpoint-figures.ts";
import type { EventStore, StoredEvent } from "./event-store.ts";
import type { Post } from "./post.ts";

export interface DeliveryRules {
  readonly name: string;
  /** Failures in a row after which an attempt waits. */
  readonly threshold: number;
  /** ms from one failure to the next attempt then. */
  readonly backoff: number;
}

export interface DeliverySurroundings {
  readonly store: Pick<EventStore, "next" | "delivered" | "noteFailure" | "noteSuccess">;
  readonly post: Post;
  readonly figures: EndpointFigures;
  /** Waits so many ms; false where the signal came first. */
  readonly wait: (time: number, signal: AbortSignal) => Promise<boolean>;
  readonly warn: (message: string) => void;
}

/**
 * Sends what waits for one endpoint, one event after the other, each until the endpoint takes it. An event that was taken
 * and whose deletion did not reach the disk is sent again after a restart, before those behind it.
 */
export class Delivery {
  readonly #rules: DeliveryRules;
  readonly #around: DeliverySurroundings;
  /** Of the last one that was taken. */
  #seq = 0;
  #failures = 0;
  /** What people are told of failures may be left of the process before. */
  #mayBeNoted = true;
  #idle: (() => void) | undefined;
  #woken = false;
  #unwritable = false;
  readonly #draining = new AbortController();
  #left = false;

  constructor(rules: DeliveryRules, surroundings: DeliverySurroundings) {
    this.#rules = rules;
    this.#around = surroundings;
  }

  /** There may be something new. */
  wake(): void {
    this.#woken = true;
    this.#idle?.();
  }

  /** From now on {@link run} ends where nothing is left, or the endpoint does not take what there is. */
  drain(): void {
    this.#draining.abort();
    this.wake();
  }

  /** From now on {@link run} ends after the attempt that is under way. */
  leave(): void {
    this.#left = true;
    this.drain();
  }

  /** To be called before {@link run}, also for several. @param before to the same endpoint; it has ended, or never began */
  follow(before: Delivery): void {
    this.#seq = Math.max(this.#seq, before.#seq);
  }

  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener("abort", () => this.#idle?.(), { once: true });
    while (!signal.aborted && !this.#left && !(this.#draining.signal.aborted && this.#failures > 0)) {
      this.#woken = false;
      const event = this.#around.store.next(this.#rules.name, this.#seq);
      if (event) await this.#deliver(event, signal);
      else if (this.#draining.signal.aborted) return;
      else await this.#rest(signal);
    }
  }

  async #deliver(event: StoredEvent, signal: AbortSignal): Promise<void> {
    const problem = await this.#attempt(event, signal);
    if (signal.aborted && problem !== undefined) return;
    if (problem === undefined) this.#taken(event);
    else await this.#failed(problem, signal);
  }

  /** @returns why it was not taken */
  async #attempt({ body }: StoredEvent, signal: AbortSignal): Promise<string | undefined> {
    const { figures, post } = this.#around;
    try {
      const { status, text } = await post(body, signal);
      const isTaken = status >= 200 && status < 400;
      countStatus(figures, text);
      if (isTaken) figures.successes += 1;
      else figures.failures += 1;
      return isTaken ? undefined : `it answered ${text}`;
    } catch (error) {
      if (!signal.aborted) figures.errors += 1;
      return messageOf(error);
    }
  }

  #taken({ seq }: StoredEvent): void {
    const { store, figures, warn } = this.#around;
    this.#seq = seq;
    figures.pending = Math.max(figures.pending - 1, 0);
    if (this.#failures >= this.#rules.threshold) warn(`endpoint ${this.#rules.name} takes events again`);
    this.#failures = 0;
    this.#record(() => {
      store.delivered(this.#rules.name, seq);
      if (this.#mayBeNoted) store.noteSuccess(this.#rules.name);
      this.#mayBeNoted = false;
    });
  }

  async #failed(problem: string, signal: AbortSignal): Promise<void> {
    const { store, wait, warn } = this.#around;
    const { name, threshold, backoff } = this.#rules;
    this.#failures += 1;
    this.#mayBeNoted = true;
    this.#record(() => store.noteFailure(name, problem));
    if (this.#failures === threshold) {
      warn(`endpoint ${name} failed ${threshold} times in a row and is tried again every ${backoff} ms: ${problem}`);
    }
    if (this.#failures >= threshold) await wait(backoff, AbortSignal.any([signal, this.#draining.signal]));
  }

  /** A full disk takes no note: what was taken is not sent again by this process in any case. */
  #record(note: () => void): void {
    try {
      note();
      this.#unwritable = false;
    } catch (error) {
      if (this.#unwritable) return;
      this.#unwritable = true;
      this.#around.warn(`endpoint ${this.#rules.name}: its state cannot be written: ${messageOf(error)}`);
    }
  }

  async #rest(signal: AbortSignal): Promise<void> {
    if (this.#woken || signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
    this.#idle = undefined;
  }
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return messageOf(error.errors[0]);
  return error instanceof Error ? error.message || error.name : String(error);
}
