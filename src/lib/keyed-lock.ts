import type { Locks } from "./locks.ts";

export interface KeyedLockOptions {
  /** Most that wait at once, for whatever name. */
  readonly limit: number;
  /** What is thrown to any other that would have to. */
  readonly toError: () => Error;
}

/**
 * Locks by name within this process, first come first served. Holders of one name are either several shared ones or one
 * exclusive one. A name costs memory only while it is held.
 */
export class KeyedLock implements Locks {
  readonly #queues = new Map<string, Queue>();
  readonly #options: KeyedLockOptions | undefined;
  #waiting = 0;

  constructor(options?: KeyedLockOptions) {
    this.#options = options;
  }

  shared<R>(key: string, work: () => Promise<R>): Promise<R> {
    return this.#run(key, false, work);
  }

  exclusive<R>(key: string, work: () => Promise<R>): Promise<R> {
    return this.#run(key, true, work);
  }

  async #run<R>(key: string, exclusive: boolean, work: () => Promise<R>): Promise<R> {
    const queue = this.#queues.get(key) ?? { holders: 0, exclusive: false, waiting: [] };
    this.#queues.set(key, queue);
    if (queue.waiting.length > 0 || !admits(queue, exclusive)) await this.#wait(queue, exclusive);
    else hold(queue, exclusive);
    try {
      return await work();
    } finally {
      queue.holders -= 1;
      this.#admitWaiting(key, queue);
    }
  }

  async #wait(queue: Queue, exclusive: boolean): Promise<void> {
    if (this.#options && this.#waiting >= this.#options.limit) throw this.#options.toError();
    this.#waiting += 1;
    await new Promise<void>((admit) => queue.waiting.push({ exclusive, admit }));
    this.#waiting -= 1;
  }

  #admitWaiting(key: string, queue: Queue): void {
    for (let first = queue.waiting[0]; first && admits(queue, first.exclusive); first = queue.waiting[0]) {
      queue.waiting.shift();
      hold(queue, first.exclusive);
      first.admit();
    }
    if (queue.holders === 0 && queue.waiting.length === 0) this.#queues.delete(key);
  }
}

interface Queue {
  holders: number;
  exclusive: boolean;
  readonly waiting: { readonly exclusive: boolean; readonly admit: () => void }[];
}

function admits(queue: Queue, exclusive: boolean): boolean {
  return queue.holders === 0 || (!exclusive && !queue.exclusive);
}

function hold(queue: Queue, exclusive: boolean): void {
  queue.holders += 1;
  queue.exclusive = exclusive;
}
