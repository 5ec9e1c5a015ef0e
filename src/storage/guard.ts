import { Liveness } from "../lib/liveness.ts";
import { StorageBusy, StorageDown, StorageUnreachable } from "./errors.ts";

export interface GuardOptions {
  /** As in errors. */
  readonly driver: string;
  /** A small call; see {@link Guard}. */
  readonly probe: () => Promise<unknown>;
  readonly warn: (message: string, fields: Readonly<Record<string, unknown>>) => void;
  /** Calls that may be under way or wait at once. */
  readonly limit?: number;
  /** ms for the answer to a probe. */
  readonly patience?: number;
  /** ms between two probes of a storage that is down. */
  readonly pause?: number;
  /** ms without the end of any call after which the storage is probed. */
  readonly stall?: number;
}

/**
 * More than a storage that works lets come together: at 50 ms a call it would be 20,000 a second. With S3 a call that waits
 * costs 60 to 90 KiB, most of it the connection.
 */
const LIMIT = 1024;

const [PATIENCE, PAUSE, STALL] = [20_000, 1000, 10_000];

/**
 * Keeps those who want something of a storage from waiting for it in vain.
 *
 * - Beyond so many calls at once any other fails with `StorageBusy`.
 * - Where calls fail with `StorageUnreachable`, or none ends for a while, the storage is probed. While probes fail so as well,
 *   or are not answered, calls fail with `StorageDown`.
 *
 * Each of them is told once when it begins and once when it ends.
 */
export class Guard implements Disposable {
  readonly #options: GuardOptions;
  readonly #limit: number;
  readonly #liveness: Liveness;
  #running = 0;
  #ended = 0;
  /** Calls that were not made since it went down. */
  #spared = 0;
  /** Likewise since there were too many; 0 while there are not. */
  #refused = 0;
  #watch: NodeJS.Timeout | undefined;

  constructor(options: GuardOptions) {
    const { warn, limit = LIMIT, patience = PATIENCE, pause = PAUSE } = options;
    this.#options = options;
    this.#limit = limit;
    this.#liveness = new Liveness({
      probe: () => unlessUnreachable(options.probe),
      patience,
      pause,
      onDown: (error) => warn("the storage does not answer; requests are refused until it does", reasonOf(error)),
      onBack: (time) => {
        warn("the storage answers again", { seconds: Math.round(time / 1000), spared: this.#spared });
        this.#spared = 0;
      },
    });
  }

  get isDown(): boolean {
    return this.#liveness.isDown;
  }

  /** @throws {StorageDown | StorageBusy} without a call, and whatever `call` does */
  async run<T>(call: () => Promise<T>): Promise<T> {
    if (this.#liveness.isDown) throw this.#spare();
    if (this.#running >= this.#limit) throw this.#refuse();
    this.#running += 1;
    this.#watch ??= this.#startWatch();
    try {
      return await this.goOn(call);
    } finally {
      this.#running -= 1;
      this.#ended += 1;
      if (this.#refused > 0 && this.#running < this.#limit / 2) this.#keepUp();
    }
  }

  /**
   * A further step of what was begun, such as a write: it is always made, and not counted, because it may be memory or its
   * client that it waits for. What it throws is heard.
   */
  async goOn<T>(step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (error) {
      if (error instanceof StorageUnreachable) this.#liveness.doubt();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#watch);
    this.#liveness[Symbol.dispose]();
  }

  #spare(): StorageDown {
    this.#spared += 1;
    return new StorageDown(this.#options.driver);
  }

  #refuse(): StorageBusy {
    if (this.#refused === 0) {
      this.#options.warn("the storage does not keep up; requests are refused until it does", { calls: this.#limit });
    }
    this.#refused += 1;
    return new StorageBusy(this.#options.driver);
  }

  #keepUp(): void {
    this.#options.warn("the storage keeps up again", { refused: this.#refused });
    this.#refused = 0;
  }

  /** A timer for all calls together: one a call would cost more than the rest of this. */
  #startWatch(): NodeJS.Timeout {
    const endedBefore = this.#ended;
    return setTimeout(() => {
      if (this.#running > 0 && this.#ended === endedBefore) this.#liveness.doubt();
      this.#watch = this.#running > 0 ? this.#startWatch() : undefined;
    }, this.#options.stall ?? STALL).unref();
  }
}

/** Any other word is a sign of life. */
async function unlessUnreachable(probe: () => Promise<unknown>): Promise<void> {
  try {
    await probe();
  } catch (error) {
    if (error instanceof StorageUnreachable) throw error;
  }
}

function reasonOf(error: unknown): { readonly reason: string } {
  return { reason: error instanceof Error ? error.message : String(error) };
}
