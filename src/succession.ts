import type { RequestListener } from "node:http";
import type { App } from "./app.ts";

/** The app that serves, and those before it whose requests have not ended. Disposal disposes of all of them. */
export class Succession implements AsyncDisposable {
  readonly #retiring = new Map<App, Promise<void>>();
  readonly #complain: (error: unknown) => void;
  #current: App | undefined;
  #ended = false;

  /** @param complain told where an app that has ended could not be disposed of */
  constructor(complain: (error: unknown) => void) {
    this.#complain = complain;
  }

  /** Hands a request to the app that serves. */
  readonly answer: RequestListener = (request, response) => {
    if (this.#current) this.#current.answer(request, response);
    else response.destroy(); // nothing listens before there is one
  };

  get current(): App | undefined {
    return this.#current;
  }

  /**
   * From now on `app` gets the requests, and belongs to this. The one before ends those that it has.
   * @throws {Error} where this is disposed of, or `app` cannot begin: it stays the caller's
   */
  async follow(app: App): Promise<void> {
    if (this.#ended) throw new Error("the registry is being closed");
    const before = this.#current;
    await app.begin();
    if (this.#ended) throw new Error("the registry is being closed");
    this.#current = app;
    if (before) this.#retiring.set(before, this.#retire(before));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true;
    const apps = [...this.#retiring.keys(), ...(this.#current ? [this.#current] : [])];
    await Promise.all(apps.map((app) => app[Symbol.asyncDispose]()));
  }

  async #retire(app: App): Promise<void> {
    try {
      await app.retire();
    } catch (error) {
      this.#complain(error);
    } finally {
      this.#retiring.delete(app);
    }
  }
}
