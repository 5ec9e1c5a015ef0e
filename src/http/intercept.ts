import type { Server } from "node:http";
import type { Socket } from "node:net";

/** Has `choose` decide what becomes of each connection, before anybody else sees it; `next` goes on as without it. */
export function intercept(
  server: Server,
  event: "connection" | "secureConnection",
  choose: (socket: Socket, next: (socket: Socket) => void) => void,
): void {
  const listeners = server.listeners(event);
  server.removeAllListeners(event);
  const next = (socket: Socket): void => {
    for (const listener of listeners) Reflect.apply(listener, server, [socket]);
  };
  server.on(event, (socket: Socket) => choose(socket, next));
}
