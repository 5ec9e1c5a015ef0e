import type { Command, RedisConnection, RenewableConnection, Reply } from "./redis-connection.ts";

export interface Ages {
  /** ms from connecting on; not set: no end. */
  readonly most?: number | undefined;
  /** ms without a command; not set: no end. */
  readonly idle?: number | undefined;
  /** ms, never going back */
  readonly now?: () => number;
}

/** What a timer can wait. ms */
const LONGEST = 2 ** 31 - 1;

/** Connects anew where a connection has become old, or nobody used it for long. No command waits for that, and none fails. */
export class AgeingConnection implements RedisConnection {
  readonly ready: Promise<void>;
  readonly #inner: RenewableConnection;
  readonly #most: number;
  readonly #idle: number;
  readonly #now: () => number;
  #begun: number;
  #used: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(inner: RenewableConnection, { most = Infinity, idle = Infinity, now = () => performance.now() }: Ages) {
    this.#inner = inner;
    this.ready = inner.ready;
    this.#most = most;
    this.#idle = idle;
    this.#now = now;
    this.#begun = this.#used = now();
    this.#wait();
  }

  send(commands: readonly Command[]): Promise<readonly Reply[]> {
    this.#used = this.#now();
    return this.#inner.send(commands);
  }

  transact(commands: readonly Command[]): Promise<readonly Reply[]> {
    this.#used = this.#now();
    return this.#inner.transact(commands);
  }

  problem(): unknown {
    return this.#inner.problem();
  }

  renew(): void {
    this.#begun = this.#used = this.#now();
    this.#inner.renew();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer);
    await this.#inner[Symbol.asyncDispose]();
  }

  /** Looks again when it may be due; being used or renewed only puts that off. */
  #wait(): void {
    const left = Math.min(this.#begun + this.#most, this.#used + this.#idle) - this.#now();
    if (left === Infinity) return;
    this.#timer = setTimeout(() => this.#look(), Math.min(Math.max(1, Math.ceil(left)), LONGEST)).unref();
  }

  #look(): void {
    const now = this.#now();
    if (now >= this.#begun + this.#most || now >= this.#used + this.#idle) {
      this.#begun = this.#used = now;
      void this.#inner.replace();
    }
    this.#wait();
  }
}
