/**
 * Pipelined requests are handled one after the other. The runtime hands out all that arrived together, hundreds on one
 * connection, each of which would open its blob and hold its answer until those before it are sent.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { connectionOf, streamOf } from "./connection.ts";

/** Requests of one connection that may wait; then no more are read from it until half of them are answered. */
const MOST_WAITING = 64;

/** What is under way on a connection. */
export interface Turns {
  readonly socket: Socket;
  /** Requests that are not answered yet. */
  unanswered: number;
  /** Whether reading is left to pause: in HTTP/2 the client was told how many it may send. */
  readonly mayPause: boolean;
  /** Who waits, told once it closes. */
  readonly waiters: Set<() => void>;
}

const turns: WeakMap<Socket, Turns> = new WeakMap();

/** To be called when a request arrives. */
export function countRequest(request: IncomingMessage): Turns {
  const socket = connectionOf(request);
  const known = turns.get(socket) ?? watch(socket, streamOf(request) === undefined);
  known.unanswered += 1;
  pauseFull(known);
  return known;
}

/** To be called when its answer is sent, or its client has gone. */
export function countAnswer(known: Turns): void {
  known.unanswered -= 1;
  if (known.mayPause && known.unanswered === MOST_WAITING / 2) known.socket.resume();
}

function watch(socket: Socket, mayPause: boolean): Turns {
  void socket.remoteAddress; // the runtime remembers it, for logs that ask when the client has gone
  const known: Turns = { socket, unanswered: 0, mayPause, waiters: new Set() };
  turns.set(socket, known);
  if (mayPause) socket.on("resume", () => pauseFull(known)); // as it is after every answer
  socket.once("close", () => {
    for (const onClose of known.waiters) onClose();
  });
  return known;
}

function pauseFull({ socket, unanswered, mayPause }: Turns): void {
  if (mayPause && unanswered > MOST_WAITING) socket.pause();
}

const connections: WeakMap<Server, Set<Socket>> = new WeakMap();

/**
 * To be called once, before the server listens.
 * @param encrypted whether connections begin with a handshake
 */
export function watchConnections(server: Server, encrypted: boolean): void {
  connections.set(server, collect(server, encrypted ? "secureConnection" : "connection"));
  if (encrypted) accepted.set(server, collect(server, "connection"));
}

function collect(server: Server, event: "connection" | "secureConnection"): Set<Socket> {
  const open = new Set<Socket>();
  server.on(event, (socket: Socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
  return open;
}

/** Below the encryption. */
const accepted: WeakMap<Server, Set<Socket>> = new WeakMap();

/** How many connections are open, with those in their handshake. */
export function countOpen(server: Server): number {
  return (accepted.get(server) ?? connections.get(server))?.size ?? 0;
}

/** Cuts off whatever is under way. */
export function closeAll(server: Server): void {
  for (const open of [connections.get(server), accepted.get(server)]) {
    for (const socket of open ?? []) socket.destroy();
  }
}

/**
 * Closes the connections that no request is on, also those on which one has only begun to arrive. Handshakes that are under
 * way may end in a request, so they are given until no other connection is left.
 */
export function closeIdle(server: Server): void {
  const open = connections.get(server) ?? new Set();
  for (const socket of open) {
    if (!isBusy(socket) && socket.writableLength === 0) socket.destroy();
  }
  if (open.size > 0) return;
  for (const socket of accepted.get(server) ?? []) socket.destroy();
}

/** Whether a connection waits for us rather than for its client. */
export function isBusy(socket: Socket): boolean {
  return (turns.get(socket)?.unanswered ?? 0) > 0;
}

/** Whether the answers before this one on its connection are sent. */
export function hasTurn(response: ServerResponse): boolean {
  return response.socket !== null || streamOf(response.req) !== undefined;
}

/** Waits until {@link hasTurn}; false where the connection closed first. */
export async function takeTurn(response: ServerResponse): Promise<boolean> {
  const socket = connectionOf(response.req);
  const waiters = turns.get(socket)?.waiters;
  if (!waiters || socket.destroyed) return false;
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const onClose = (): void => resolve(false);
  waiters.add(onClose);
  response.once("socket", () => resolve(true));
  try {
    return await promise;
  } finally {
    waiters.delete(onClose);
  }
}
