/**
 * Waits for one promise after the other, each no longer than until the interruption, which gives its value instead.
 *
 * `Promise.race` with one promise that lives long would keep some 250 bytes for each of those that are past.
 */
export class Interruptible<V> {
  #interruption: { readonly value: V } | undefined;
  #resolve: ((value: V) => void) | undefined;

  /** One at a time. */
  wait<T>(promise: T | PromiseLike<T>): Promise<T | V> {
    const interruption = this.#interruption;
    if (interruption) return Promise.resolve(interruption.value);
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      Promise.resolve(promise).then(resolve, reject);
    });
  }

  /** Also of what is waited for from now on. */
  interrupt(value: V): void {
    this.#interruption ??= { value };
    this.#resolve?.(value);
  }
}
