import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

const CHANNEL = "http.server.request.start";

/** What the servers of this process have taken in, for suites whose servers run beside them. */
export class ServedRequests implements Disposable {
  /** Requests that are not answered and whose client has not left. */
  unanswered = 0;
  /** The most there were at once. */
  most = 0;
  total = 0;
  readonly #sockets = new Set<Socket>();

  constructor() {
    subscribe(CHANNEL, this.#begin);
  }

  /** Connections that asked for something and are open, as the servers see them. */
  get connections(): number {
    return [...this.#sockets].filter(({ destroyed }) => !destroyed).length;
  }

  [Symbol.dispose](): void {
    unsubscribe(CHANNEL, this.#begin);
  }

  readonly #begin = (message: unknown): void => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
    this.#sockets.add(request.socket);
    this.total += 1;
    this.unanswered += 1;
    this.most = Math.max(this.most, this.unanswered);
    response.once("close", () => {
      this.unanswered -= 1;
    });
  };
}
