/** What runs and what is open of something that will be closed. */
export class Lifetime {
  /** Not wholly disposed of. */
  readonly held: Set<AsyncDisposable> = new Set();
  readonly #toError: () => Error;
  readonly #idle: PromiseWithResolvers<void> = Promise.withResolvers();
  #running = 0;
  #ended = false;

  /** @param toError what a call throws that comes after the end */
  constructor(toError: () => Error) {
    this.#toError = toError;
  }

  get hasEnded(): boolean {
    return this.#ended;
  }

  async run<T>(call: () => Promise<T>): Promise<T> {
    if (this.#ended) throw this.#toError();
    this.#running += 1;
    try {
      return await call();
    } finally {
      this.#running -= 1;
      this.#lookForEnd();
    }
  }

  /**
   * From now on nothing begins. Waits for what runs, then disposes of what is held.
   * @throws {AggregateError} where some of it could not be
   */
  async end(): Promise<void> {
    this.#ended = true;
    this.#lookForEnd();
    await this.#idle.promise;
    const disposals = await Promise.allSettled([...this.held].map((one) => one[Symbol.asyncDispose]()));
    const failures = disposals.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
    if (failures.length > 0) throw new AggregateError(failures, "what was open could not all be closed");
  }

  #lookForEnd(): void {
    if (this.#ended && this.#running === 0) this.#idle.resolve();
  }
}

/** Something open, disposed of once: by its owner, or at the end of the lifetime. */
export class Held<T extends AsyncDisposable> implements AsyncDisposable {
  protected readonly inner: T;
  protected readonly lifetime: Lifetime;
  #disposal: Promise<void> | undefined;

  constructor(inner: T, lifetime: Lifetime) {
    this.inner = inner;
    this.lifetime = lifetime;
    lifetime.held.add(this);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposal ??= this.#dispose();
    return this.#disposal;
  }

  async #dispose(): Promise<void> {
    try {
      await this.inner[Symbol.asyncDispose]();
    } finally {
      this.lifetime.held.delete(this);
    }
  }
}
