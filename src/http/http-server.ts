import type { RequestListener, Server } from "node:http";
import type { ListenOptions } from "node:net";
import { answerClientError } from "./client-error.ts";
import { endHttp2, type ListeningOptions, openServer } from "./open-server.ts";

/**
 * Connections that may wait until they are accepted, as far as the system lets them (`net.core.somaxconn`). Beyond them clients
 * wait a second or three: with Node's 511 45 of 1,000 that came at once did (`npm run bench:growth`).
 */
const BACKLOG = 4096;

/**
 * What takes connections, apart from what answers: the one stays for the life of the process, the other may change.
 */
export class HttpServer {
  readonly server: Server;
  #closing = false;

  /** @param answer gets every request */
  constructor(options: ListeningOptions, answer: RequestListener) {
    this.server = openServer((request, response) => {
      if (this.#closing && request.httpVersionMajor === 1) response.setHeader("connection", "close");
      answer(request, response);
    }, options);
    this.server.on("clientError", answerClientError);
  }

  /**
   * @returns the address as people write it, e.g. `[::]:5000` or the path of a socket
   * @throws {Error} with the code of the system
   */
  async listen(where: ListenOptions | { readonly fd: number }): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.server.once("error", reject);
    this.server.listen({ ...where, backlog: BACKLOG }, resolve);
    try {
      await promise;
    } finally {
      this.server.off("error", reject);
    }
    return toText(this.server.address());
  }

  /** Takes no more connections, tells clients so with their next answers, and ends when the last has gone. */
  async close(): Promise<void> {
    this.#closing = true;
    endHttp2(this.server);
    if (this.server.listening) await new Promise((resolve) => this.server.close(resolve));
  }

  /**
   * Connections at a time from now on. 0: no limit.
   * @param others that other processes have of them
   */
  limitConnections(most: number, others = 0): void {
    this.server.maxConnections = most > 0 ? Math.max(0, most - others) : Number.POSITIVE_INFINITY;
  }
}

function toText(address: ReturnType<Server["address"]>): string {
  if (address === null || typeof address === "string") return address ?? "/";
  return `${address.family === "IPv6" ? `[${address.address}]` : address.address}:${address.port}`;
}
