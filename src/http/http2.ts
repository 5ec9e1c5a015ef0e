/**
 * HTTP/2 on connections that a server of HTTP/1 accepted.
 *
 * Limits: so many streams at a time as below, 16 KiB of headers in at most 128 fields. Streams that are opened only to be
 * reset (CVE-2023-44487) and heads that never end (CVE-2024-27316) are bounded by the runtime's nghttp2, which then ends
 * the connection; test/faults/http2.test.ts holds it to that.
 *
 * @see RFC 9113
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2Server, ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { refuseExpectation, refuseHead } from "./client-error.ts";
import { rememberConnection } from "./connection.ts";

export interface Http2Timeouts {
  /** ms from the connection to the first request. */
  readonly header: number;
  /** ms without a request. */
  readonly idle: number;
  /** ms in which the client takes no byte of an answer. */
  readonly stall: number;
}

/** Requests of one connection at a time. Fewer later on would have clients refused that have not heard of it yet. */
const MOST_STREAMS = 100;

/**
 * Bytes that a client may send of a request before it hears from us. The runtime gives the connection's own window back as
 * bytes arrive, so these alone bound what one connection has us hold: 25 MiB, and 100 where the client is far.
 */
const STREAM_WINDOW = 256 * 1024;
const FAR_STREAM_WINDOW = 1024 * 1024;

/** Bytes on their way that no request was read of yet. */
const SESSION_WINDOW = 8 * 1024 * 1024;

/** ms for a ping and its answer, from which on a client is far: then the smaller window would hold it to 100 MB/s. */
const FAR = 2.5;

/** Bytes of a body that a client may send as one piece. */
const LONGEST_FRAME = 256 * 1024;

/** Bytes of a request's head, as in HTTP/1. */
const HEAD = 16 * 1024;

/** MiB that the runtime keeps for one connection, beyond what handlers hold. */
const SESSION_MEMORY = 32;

/** The connections that speak HTTP/2. Disposal tells them to send no more requests. */
export class Http2Connections implements Disposable {
  readonly #server: Http2Server;
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #timeouts: Http2Timeouts;
  #taking: Socket | undefined;

  /** @param onRequest gets every request, as one of HTTP/1 */
  constructor(onRequest: (request: IncomingMessage, response: ServerResponse) => void, timeouts: Http2Timeouts) {
    this.#timeouts = timeouts;
    this.#server = process.getBuiltinModule("node:http2").createServer({
      settings: {
        maxConcurrentStreams: MOST_STREAMS,
        initialWindowSize: STREAM_WINDOW,
        maxFrameSize: LONGEST_FRAME,
        maxHeaderListSize: HEAD,
      },
      maxSessionMemory: SESSION_MEMORY,
    });
    this.#server.on("session", (session) => this.#open(session));
    const answer = (request: unknown, response: unknown): void => {
      if (isTooLong(request as IncomingMessage)) refuseHead(response as ServerResponse);
      else onRequest(toHttp1(request as IncomingMessage), response as ServerResponse);
    };
    this.#server.on("request", answer);
    this.#server.on("checkExpectation", (request, response) =>
      refuseExpectation(request, response as unknown as ServerResponse),
    );
    this.#server.on("checkContinue", (request, response) => {
      if (!response.stream.destroyed) response.writeContinue(); // it throws for one that its client has reset
      answer(request, response);
    });
    this.#server.on("stream", (stream: ServerHttp2Stream) => {
      dropUnread(stream, timeouts.stall);
      if (stream.closed) stream.destroy(); // reset before we heard of it: the runtime would keep it, and its connection, for ever
    });
  }

  /** Serves a connection of which the first byte, or the first after the handshake, is still to be read. */
  take(socket: Socket): void {
    socket.once("end", () => socket.destroy()); // one of HTTP/1 may be half open
    this.#taking = socket;
    this.#server.emit("connection", socket);
    this.#taking = undefined;
  }

  [Symbol.dispose](): void {
    for (const session of this.#sessions) session.close();
  }

  #open(session: ServerHttp2Session): void {
    const socket = this.#taking;
    session.setLocalWindowSize(SESSION_WINDOW);
    this.#sessions.add(session);
    session.once("close", () => this.#sessions.delete(session));
    session.on("error", () => undefined); // it ends the connection, and is the client's
    if (socket) sockets.set(session, socket);
    closeIdle(session, this.#timeouts);
    widenFar(session);
  }
}

/** @param tries pings that must all be slow, because one may be slow for what we do ourselves meanwhile */
function widenFar(session: ServerHttp2Session, tries = 3): void {
  session.ping((error, time) => {
    if (error || time < FAR || session.destroyed) return;
    if (tries > 1) widenFar(session, tries - 1);
    else session.settings({ initialWindowSize: FAR_STREAM_WINDOW });
  });
}

/** The runtime tells clients of the limit, and holds them to nothing but 64 KiB for each of 128 fields. */
function isTooLong({ rawHeaders }: IncomingMessage): boolean {
  let length = 0;
  for (const text of rawHeaders) length += text.length;
  return length > HEAD;
}

/** The runtime lets nobody see a session's connection as it is. */
const sockets = new WeakMap<ServerHttp2Session, Socket>();

/** Gives a request what those of HTTP/1 have. */
function toHttp1(request: IncomingMessage): IncomingMessage {
  const { headers } = request;
  const { stream } = request as IncomingMessage & { readonly stream: ServerHttp2Stream };
  const socket = stream.session && sockets.get(stream.session as ServerHttp2Session);
  if (socket) rememberConnection(request, socket);
  const authority = headers[":authority"]?.toString();
  if (authority !== undefined) headers.host = authority;
  return request;
}

/** Ends a connection on which there is no request for too long, whatever else is sent on it. */
function closeIdle(session: ServerHttp2Session, { header, idle }: Http2Timeouts): void {
  let streams = 0;
  const end = (): void => {
    session.close();
    session.destroy();
  };
  let timer = setTimeout(end, header);
  session.on("stream", (stream) => {
    streams += 1;
    clearTimeout(timer);
    stream.once("close", () => {
      streams -= 1;
      if (streams === 0 && !session.destroyed) timer = setTimeout(end, idle);
    });
  });
  session.once("close", () => clearTimeout(timer));
}

const CANCEL = 8;

/** Times `stall` that one piece of an answer may take. */
const PATIENCE = 5;

/** The longest wait of one timer of Node. ms */
const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * The runtime's timer begins anew with every byte that moves, also for another request of the connection; so a client
 * that takes some answers and leaves others is given a longer time.
 */
function dropUnread(stream: ServerHttp2Stream, stall: number): void {
  let moved = false;
  const drop = (): void => {
    if (stream.writableLength > 0) stream.close(CANCEL);
  };
  const timer = setInterval(
    () => {
      if (!moved) drop();
      moved = false;
    },
    Math.min(PATIENCE * stall, LONGEST_TIMER),
  );
  stream.setTimeout(stall, drop);
  stream.on("drain", () => {
    moved = true;
  });
  stream.once("close", () => clearInterval(timer));
}
