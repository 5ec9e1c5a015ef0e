import { availableParallelism } from "node:os";
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { FairQueue } from "../lib/fair-queue.ts";
import { TooManyRequests, Unavailable } from "../oci/errors.ts";

export interface Comparison {
  /** 1 to 72 bytes. */
  readonly password: Uint8Array;
  /** bcrypt's. */
  readonly hash: string;
  /** For whom, as far as that can be told: they take turns. */
  readonly client: string;
}

/** Compares passwords with hashes; slow by nature. */
export interface PasswordChecks extends AsyncDisposable {
  /** @throws {TooManyRequests} where too many wait already; those of clients with the most go first */
  matches(comparison: Comparison): Promise<boolean>;
}

interface Task {
  readonly comparison: Comparison;
  readonly resolve: (matches: boolean) => void;
  readonly reject: (error: Error) => void;
}

export interface BcryptOptions {
  readonly workers?: number;
  /** Beyond those that are being compared. */
  readonly waiting?: number;
}

/**
 * bcrypt in threads of its own: the event loop goes on, and so does Node's pool, which files need. The threads begin when
 * they are needed, and an idle one keeps no process alive.
 */
export class BcryptWorkers implements PasswordChecks {
  readonly #most: number;
  readonly #idle: Worker[] = [];
  readonly #busy = new Map<Worker, Task>();
  readonly #waiting: FairQueue<Task>;
  #ended = false;

  constructor({ workers = Math.max(1, availableParallelism() >> 1), waiting = 64 }: BcryptOptions = {}) {
    this.#most = workers;
    this.#waiting = new FairQueue(waiting);
  }

  async matches(comparison: Comparison): Promise<boolean> {
    if (this.#ended) throw new Unavailable("the registry is being closed");
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    const displaced = this.#waiting.push(comparison.client, { comparison, resolve, reject });
    displaced?.reject(new TooManyRequests("too many passwords are being compared at this moment"));
    this.#next();
    return await promise;
  }

  #next(): void {
    if (this.#ended || this.#busy.size >= this.#most) return;
    const task = this.#waiting.shift();
    if (!task) return;
    const worker = this.#idle.pop() ?? this.#start();
    this.#busy.set(worker, task);
    worker.ref();
    const { password, hash } = task.comparison;
    worker.postMessage({ password, hash });
  }

  #start(): Worker {
    const worker = new Worker(new URL(`./bcrypt-worker${extname(import.meta.url)}`, import.meta.url), {
      name: "bcrypt",
      resourceLimits: { maxOldGenerationSizeMb: 64 },
    });
    worker.on("message", (matches: boolean) => this.#done(worker, matches));
    worker.on("error", (error) => this.#failed(worker, error));
    worker.on("exit", () => this.#failed(worker, new Error("the thread that compares passwords ended")));
    return worker;
  }

  #done(worker: Worker, matches: boolean): void {
    this.#taskOf(worker)?.resolve(matches);
    worker.unref();
    if (!this.#ended) this.#idle.push(worker);
    this.#next();
  }

  #failed(worker: Worker, cause: unknown): void {
    const error = cause instanceof Error ? cause : new Error(String(cause));
    this.#taskOf(worker)?.reject(error);
    const index = this.#idle.indexOf(worker);
    if (index >= 0) this.#idle.splice(index, 1);
    this.#next();
  }

  #taskOf(worker: Worker): Task | undefined {
    const task = this.#busy.get(worker);
    this.#busy.delete(worker);
    return task;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true;
    const error = new Unavailable("the registry is being closed");
    for (let task = this.#waiting.shift(); task; task = this.#waiting.shift()) task.reject(error);
    await Promise.all([...this.#idle, ...this.#busy.keys()].map((worker) => worker.terminate()));
  }
}
