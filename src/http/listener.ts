import type { RequestListener } from "node:http";
import Fastify, { type FastifyBaseLogger } from "fastify";
import { answerClientError } from "./client-error.ts";
import { endHttp2, type ListeningOptions, openServer } from "./open-server.ts";
import type { HttpServer } from "./server.ts";

export interface ListenerOptions extends ListeningOptions {
  readonly log: FastifyBaseLogger;
}

/**
 * What listens, apart from what answers: the one stays for the life of the process, the other may change.
 * @param answer gets every request
 */
export function createListener(options: ListenerOptions, answer: RequestListener): HttpServer {
  let closing = false;
  const handle: RequestListener = (request, response) => {
    if (closing && request.httpVersionMajor === 1) response.setHeader("connection", "close");
    answer(request, response);
  };
  const server: HttpServer = Fastify({
    loggerInstance: options.log,
    forceCloseConnections: "idle",
    serverFactory: () => openServer(handle, options),
    clientErrorHandler: answerClientError,
  });
  server.addHook("preClose", (done) => {
    closing = true;
    endHttp2(server.server);
    done();
  });
  return server;
}

/** Connections at a time from now on. 0: no limit. */
export function limitConnections({ server }: HttpServer, most: number): void {
  server.maxConnections = most > 0 ? most : Number.POSITIVE_INFINITY;
}
