import type { Socket } from "node:net";
import { connectionOf } from "./connection.ts";
import type { RequestObserver } from "./observer.ts";

/** Requests that are not done with: answered or given up by their clients, and what handled them has ended. */
export class InFlight {
  /** To be among those that are told of the requests. */
  readonly observer: RequestObserver = {
    arrived: ({ request }) => this.#arrive(connectionOf(request)),
    begun: () => {
      this.#open += 1;
    },
    ended: () => this.#leave(1),
    answered: ({ request }) => this.#answer(connectionOf(request)),
  };
  /** By connection: of those that wait behind others the runtime does not tell when it closes. */
  readonly #unanswered = new WeakMap<Socket, { count: number }>();
  readonly #idle: PromiseWithResolvers<void> = Promise.withResolvers();
  /** Those that are unanswered and those that are handled. */
  #open = 0;
  #ended = false;

  /** Resolves when none is left. To be called when no other will begin. */
  end(): Promise<void> {
    this.#ended = true;
    this.#leave(0);
    return this.#idle.promise;
  }

  #arrive(socket: Socket): void {
    const requests = this.#unanswered.get(socket) ?? this.#watch(socket);
    requests.count += 1;
    this.#open += 1;
  }

  #answer(socket: Socket): void {
    const requests = this.#unanswered.get(socket);
    if (!requests?.count) return; // the connection closed before
    requests.count -= 1;
    this.#leave(1);
  }

  #watch(socket: Socket): { count: number } {
    const requests = { count: 0 };
    this.#unanswered.set(socket, requests);
    socket.once("close", () => {
      const { count } = requests;
      requests.count = 0;
      this.#leave(count);
    });
    return requests;
  }

  #leave(count: number): void {
    this.#open -= count;
    if (this.#ended && this.#open === 0) this.#idle.resolve();
  }
}
