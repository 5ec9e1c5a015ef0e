/**
 * The server below the API: HTTP/1, and beside it HTTP/2 where a connection asks for it, in the handshake of TLS or, where
 * the operator wants it, by its first bytes (h2c).
 */
import type { RequestListener, Server, ServerOptions, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { http } from "../lib/node-http.ts";
import type { ServerTls } from "../tls/server-tls.ts";
import { refuseExpectation } from "./client-error.ts";
import { PROBED } from "./doors.ts";
import { firstBytes } from "./first-bytes.ts";
import { Http2Connections } from "./http2.ts";
import { intercept } from "./intercept.ts";
import { onlySound } from "./sound-head.ts";
import { isBusy, watchConnections } from "./turn.ts";

export interface ListeningOptions {
  readonly tls?: ServerTls | undefined;
  /** HTTP/2 for clients that ask for it in the handshake. */
  readonly http2?: boolean | undefined;
  /** HTTP/2 without encryption, for clients that begin with it. */
  readonly h2c?: boolean | undefined;
  /** Connections at a time; any further one is closed at once. 0 and undefined: no limit. */
  readonly connections?: number | undefined;
  /** ms without a byte after which a connection is dropped in the middle of a request. */
  readonly stall: number;
  readonly timeouts: {
    /** ms from the connection, or the request before, to the end of the request's head; and for the handshake. */
    readonly header: number;
    /** ms between two requests of a connection. */
    readonly idle: number;
  };
}

/** @returns a server that serves HTTP/2 by the way, and whatever is to be disposed of when it closes */
export function openServer(handler: RequestListener, options: ListeningOptions): Server {
  const server = create(onlySound(handler), options);
  server.requestTimeout = 0;
  server.keepAliveTimeout = options.timeouts.idle;
  server.setTimeout(options.stall);
  if (options.tls) guard(server, options.tls, options);
  else if (options.h2c) detect(server, options);
  watchConnections(server, options.tls !== undefined);
  server.on("timeout", dropStalled);
  server.on("checkExpectation", refuseExpectation);
  return server;
}

function create(handler: RequestListener, { tls, http2, timeouts }: ListeningOptions): Server {
  const options: ServerOptions = {
    headersTimeout: timeouts.header,
    connectionsCheckingInterval: 1000,
    requireHostHeader: false, // sound-head.ts says the same with a body
    ...PROBED,
  };
  if (!tls) return http.createServer(options, handler);
  const ALPNProtocols = http2 ? ["h2", "http/1.1"] : ["http/1.1"];
  const handshakeTimeout = timeouts.header || undefined;
  const server = process
    .getBuiltinModule("node:https")
    .createServer(
      { ...options, ...tls.options, ALPNProtocols, ...(handshakeTimeout && { handshakeTimeout }) },
      handler,
    );
  tls.attach(server);
  return server as unknown as Server;
}

/** Lets in whose certificate is enough, and hands connections on by what the handshake agreed on. */
function guard(server: Server, tls: ServerTls, options: ListeningOptions): void {
  const http2 = options.http2 ? attachHttp2(server, options) : undefined;
  intercept(server, "connection", (socket, next) => {
    const challenged = tls.challenged();
    if (challenged)
      firstBytes(socket, options.timeouts.header, (bytes) => {
        if (!isWholeRecord(bytes)) return undefined;
        return bytes.includes(CHALLENGE) ? challenged : next;
      });
    else next(socket);
  });
  intercept(server, "secureConnection", (socket, next) => {
    if (!tls.admits(socket as TLSSocket)) socket.destroy();
    else if ((socket as TLSSocket).alpnProtocol === "h2" && http2) http2.take(socket);
    else next(socket);
  });
}

/** The protocol that nothing but a challenge asks for in its first message. @see RFC 8737, section 3 */
const CHALLENGE: Buffer = Buffer.from("\u000aacme-tls/1", "latin1");

/** A message of TLS begins with its kind, a version and its length. What is no message of TLS counts as whole. */
function isWholeRecord(bytes: Buffer): boolean {
  if (bytes[0] !== HANDSHAKE) return true;
  return bytes.length >= 5 && bytes.length >= 5 + bytes.readUInt16BE(3);
}

const HANDSHAKE = 22;

/** What a connection of HTTP/2 begins with. @see RFC 9113, section 3.4 */
const PREFACE: Buffer = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

function detect(server: Server, options: ListeningOptions): void {
  const http2 = attachHttp2(server, options);
  intercept(server, "connection", (socket, next) => {
    const resumed = (same: Socket): void => {
      next(same);
      same.resume(); // in a later turn, but before anything more is read
    };
    firstBytes(socket, options.timeouts.header, (bytes) => {
      const length = Math.min(bytes.length, PREFACE.length);
      if (!bytes.subarray(0, length).equals(PREFACE.subarray(0, length))) return resumed;
      return length === PREFACE.length ? (whole) => http2.take(whole) : undefined;
    });
  });
}

const connections = new WeakMap<Server, Http2Connections>();

function attachHttp2(server: Server, { timeouts, stall }: ListeningOptions): Http2Connections {
  const onRequest = (request: unknown, response: ServerResponse): void => {
    server.emit("request", request, response);
  };
  const http2 = new Http2Connections(onRequest, { ...timeouts, stall });
  connections.set(server, http2);
  return http2;
}

/** Tells clients of HTTP/2 to send no more requests, as those of HTTP/1 are told in their answers. */
export function endHttp2(server: Server): void {
  connections.get(server)?.[Symbol.dispose]();
}

/** A connection on which nothing moved: dropped where the client does not read, or has nothing more to ask. */
function dropStalled(socket: Socket): void {
  if (socket.writableLength > 0 || !isBusy(socket)) socket.destroy();
}
