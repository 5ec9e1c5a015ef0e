import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { connectionOf } from "./connection.ts";
import type { RequestObserver } from "./observer.ts";

/** Requests that are not done with: answered or given up by their clients, and what handled them has ended. */
export class InFlight {
  /** To be among those that are told of the requests. */
  readonly observer: RequestObserver = { handling: (_request, handle) => this.#run(handle) };
  readonly #sockets = new Map<Socket, Requests>();
  readonly #idle: PromiseWithResolvers<void> = Promise.withResolvers();
  #handled = 0;
  #ended = false;

  /** To be called when a request arrives. */
  begin(request: IncomingMessage, response: ServerResponse): void {
    const socket = connectionOf(request);
    const requests = this.#sockets.get(socket) ?? this.#watch(socket);
    requests.count += 1;
    response.once("close", () => {
      requests.count -= 1;
      if (requests.count === 0) this.#forget(socket, requests);
    });
  }

  /** Resolves when none is left. To be called when no other will begin. */
  end(): Promise<void> {
    this.#ended = true;
    this.#look();
    return this.#idle.promise;
  }

  /** Of those that wait behind others on a connection, the runtime does not tell when it closes. */
  #watch(socket: Socket): Requests {
    const requests: Requests = { count: 0, onClose: () => this.#forget(socket, requests) };
    socket.once("close", requests.onClose);
    this.#sockets.set(socket, requests);
    return requests;
  }

  #forget(socket: Socket, requests: Requests): void {
    socket.off("close", requests.onClose);
    if (this.#sockets.get(socket) === requests) this.#sockets.delete(socket);
    this.#look();
  }

  async #run<T>(handle: () => Promise<T>): Promise<T> {
    this.#handled += 1;
    try {
      return await handle();
    } finally {
      this.#handled -= 1;
      this.#look();
    }
  }

  #look(): void {
    if (this.#ended && this.#handled === 0 && this.#sockets.size === 0) this.#idle.resolve();
  }
}

interface Requests {
  count: number;
  readonly onClose: () => void;
}
