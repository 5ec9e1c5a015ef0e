/**
 * Work for a key that is done once for all who ask for it while it runs for those before them: it begins after they have asked,
 * so it is as good as work of their own. Where it fails, it fails for all of them.
 */
export class JointWork<K, T> {
  readonly #work: (key: K) => Promise<T>;
  readonly #running = new Map<K, Promise<T>>();
  readonly #next = new Map<K, Promise<T>>();

  constructor(work: (key: K) => Promise<T>) {
    this.#work = work;
  }

  /** What was so before the call is so for the work. */
  do(key: K): Promise<T> {
    const next = this.#next.get(key);
    if (next !== undefined) return next;
    const running = this.#running.get(key);
    return running === undefined ? this.#begin(key) : this.#beginAfter(running, key);
  }

  #beginAfter(running: Promise<T>, key: K): Promise<T> {
    const next = running.then(ignore, ignore).then(() => this.#begin(key));
    this.#next.set(key, next);
    return next;
  }

  #begin(key: K): Promise<T> {
    this.#next.delete(key);
    const work = this.#work(key).finally(() => this.#running.delete(key));
    this.#running.set(key, work);
    return work;
  }
}

function ignore(): void {}
