import { availableParallelism } from "node:os";
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { TooManyRequests, Unavailable } from "../oci/errors.ts";

export interface Comparison {
  /** 1 to 72 bytes. */
  readonly password: Uint8Array;
  /** bcrypt's. */
  readonly hash: string;
}

/** Compares passwords with hashes; slow by nature. */
export interface PasswordChecks extends AsyncDisposable {
  /** @throws {TooManyRequests} where too many wait already */
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
  readonly #mostWaiting: number;
  readonly #idle: Worker[] = [];
  readonly #busy = new Map<Worker, Task>();
  readonly #waiting: Task[] = [];
  #ended = false;

  constructor({ workers = Math.max(1, availableParallelism() >> 1), waiting = 64 }: BcryptOptions = {}) {
    this.#most = workers;
    this.#mostWaiting = waiting;
  }

  async matches(comparison: Comparison): Promise<boolean> {
    if (this.#ended) throw new Unavailable("the registry is being closed");
    if (this.#waiting.length >= this.#mostWaiting) {
      throw new TooManyRequests("too many passwords are being compared at this moment");
    }
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    this.#waiting.push({ comparison, resolve, reject });
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
    worker.postMessage(task.comparison);
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
    for (const task of this.#waiting.splice(0)) task.reject(error);
    await Promise.all([...this.#idle, ...this.#busy.keys()].map((worker) => worker.terminate()));
  }
}
