/**
 * Pipelined requests are handled one after the other. The runtime hands out all that arrived together, hundreds on one
 * connection, each of which would open its blob and hold its answer until those before it are sent.
 */
import type { Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { connectionOf, streamOf } from "./connection.ts";

/** Who waits on a connection, told once it closes. */
const waiting: WeakMap<Socket, Set<() => void>> = new WeakMap();

/** Requests of one connection that may wait; then no more are read from it until half of them are answered. */
const MOST_WAITING = 64;

/** Requests of a connection that are not answered yet. */
const unanswered: WeakMap<Socket, number> = new WeakMap();

/** To be called when a request arrives. */
export function countRequest(response: ServerResponse): void {
  const socket = connectionOf(response.req);
  const mayPause = streamOf(response.req) === undefined; // in HTTP/2 the client was told how many it may send
  if (mayPause && !unanswered.has(socket)) socket.on("resume", () => pauseFull(socket)); // as it is after every answer
  unanswered.set(socket, (unanswered.get(socket) ?? 0) + 1);
  if (mayPause) pauseFull(socket);
  response.once("close", () => {
    const left = (unanswered.get(socket) ?? 1) - 1;
    unanswered.set(socket, left);
    if (mayPause && left === MOST_WAITING / 2) socket.resume();
  });
}

function pauseFull(socket: Socket): void {
  if ((unanswered.get(socket) ?? 0) > MOST_WAITING) socket.pause();
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
  return (unanswered.get(socket) ?? 0) > 0;
}

/** Whether the answers before this one on its connection are sent. */
export function hasTurn(response: ServerResponse): boolean {
  return response.socket !== null || streamOf(response.req) !== undefined;
}

/** Waits until {@link hasTurn}; false where the connection closed first. */
export async function takeTurn(response: ServerResponse): Promise<boolean> {
  const { socket } = response.req;
  if (socket.destroyed) return false;
  const waiters = waitersOf(socket);
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

/** One listener a connection. */
function waitersOf(socket: Socket): Set<() => void> {
  const known = waiting.get(socket);
  if (known) return known;
  const waiters = new Set<() => void>();
  waiting.set(socket, waiters);
  socket.once("close", () => {
    for (const onClose of waiters) onClose();
  });
  return waiters;
}
