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
  /** Of those that wait behind others on a connection the runtime does not tell when it closes. */
  readonly #connections = new Map<Socket, Requests>();
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
    const requests = this.#connections.get(socket) ?? this.#watch(socket);
    requests.unanswered += 1;
    this.#open += 1;
  }

  #answer(socket: Socket): void {
    const requests = this.#connections.get(socket);
    if (!requests) return; // it closed before
    requests.unanswered -= 1;
    this.#leave(1);
  }

  #watch(socket: Socket): Requests {
    const requests: Requests = {
      unanswered: 0,
      onClose: () => {
        this.#connections.delete(socket);
        this.#leave(requests.unanswered);
      },
    };
    socket.once("close", requests.onClose);
    this.#connections.set(socket, requests);
    return requests;
  }

  #leave(count: number): void {
    this.#open -= count;
    if (!this.#ended || this.#open > 0) return;
    for (const [socket, { onClose }] of this.#connections) socket.off("close", onClose); // they stay, for others
    this.#connections.clear();
    this.#idle.resolve();
  }
}

/** On one connection. */
interface Requests {
  unanswered: number;
  readonly onClose: () => void;
}
