/**
 * What lies below a request: the whole connection in HTTP/1, one stream of a connection in HTTP/2. Whoever wants to end,
 * watch or name a connection asks here, because the runtime's own `request.socket` is another thing in HTTP/2.
 */
import type { IncomingMessage } from "node:http";
import type { Http2ServerRequest, ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";

const sockets = new WeakMap<IncomingMessage, Socket>();

/** To be called when a request of HTTP/2 arrives. */
export function rememberConnection(request: IncomingMessage, socket: Socket): void {
  sockets.set(request, socket);
}

/** The connection itself, which other requests may share. */
export function connectionOf(request: IncomingMessage): Socket {
  return sockets.get(request) ?? request.socket;
}

export function isEncrypted(request: IncomingMessage): boolean {
  return "encrypted" in connectionOf(request);
}

/** @returns undefined in HTTP/1 */
export function streamOf(request: IncomingMessage): ServerHttp2Stream | undefined {
  return request.httpVersionMajor === 2 ? (request as unknown as Http2ServerRequest).stream : undefined;
}

/** Codes of RFC 9113, section 7. */
const INTERNAL_ERROR = 2;
const CANCEL = 8;

/** Ends a request that nobody will answer, or go on answering: its stream, or in HTTP/1 its connection. */
export function hangUp(request: IncomingMessage, { ours = false, error }: HangUpOptions = {}): void {
  const stream = streamOf(request);
  if (stream === undefined) {
    request.destroy(error);
    request.socket.destroy(); // which the runtime leaves open where the body was read
  } else if (!stream.destroyed) stream.close(ours ? INTERNAL_ERROR : CANCEL);
}

export interface HangUpOptions {
  /** Whether it is the registry that failed. */
  readonly ours?: boolean;
  readonly error?: Error;
}
