import type { RequestListener, Server } from "node:http";
import { toText } from "../lib/listening.ts";
import { answerClientError } from "./client-error.ts";
import { Doors, type Where } from "./doors.ts";
import { intercept } from "./intercept.ts";
import { endHttp2, type ListeningOptions, openServer } from "./open-server.ts";
import { countOpen } from "./turn.ts";

/**
 * What takes connections, apart from what answers: the one stays for the life of the process, the other may change.
 */
export class HttpServer {
  readonly server: Server;
  readonly #doors: Doors;
  #closing = false;
  #most = Number.POSITIVE_INFINITY;

  /** @param answer gets every request */
  constructor(options: ListeningOptions, answer: RequestListener) {
    this.server = openServer((request, response) => {
      if (this.#closing && request.httpVersionMajor === 1) response.setHeader("connection", "close");
      answer(request, response);
    }, options);
    this.server.on("clientError", answerClientError);
    this.#doors = new Doors(this.server);
    this.limitConnections(options.connections ?? 0);
    intercept(this.server, "connection", (socket, next) => {
      if (countOpen(this.server) < this.#most) next(socket);
      else socket.destroy();
    });
  }

  /**
   * @returns the address as people write it, e.g. `[::]:5000` or the path of a socket
   * @throws {Error} with the code of the system
   */
  async listen(where: Where): Promise<string> {
    await this.#doors.open(where);
    return toText(this.server.address());
  }

  /** Takes no more connections, tells clients so with their next answers, and ends when the last has gone. */
  async close(): Promise<void> {
    this.#closing = true;
    endHttp2(this.server);
    await this.#doors.close();
  }

  /**
   * Connections at a time from now on. 0: no limit.
   * @param others that other processes have of them
   */
  limitConnections(most: number, others = 0): void {
    this.#most = most > 0 ? Math.max(0, most - others) : Number.POSITIVE_INFINITY;
  }
}
