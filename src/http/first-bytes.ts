import type { Socket } from "node:net";

type Take = (socket: Socket) => void;

/** Bytes: the longest first message that anybody sends, and more than is ever looked at. */
const ENOUGH = 16 * 1024;

/**
 * Looks at what a connection begins with, and gives it, with these bytes still to be read, to whom `choose` says;
 * the connection is paused then.
 * @param patience ms, after which the connection is dropped
 * @param choose undefined where more bytes are needed
 */
export function firstBytes(socket: Socket, patience: number, choose: (bytes: Buffer) => Take | undefined): void {
  let seen: Buffer = Buffer.alloc(0);
  const drop = (): void => void socket.destroy();
  const timer = setTimeout(drop, patience);
  const onData = (chunk: Buffer): void => {
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
    const take = choose(seen);
    if (take) handOn(take);
    else if (seen.length > ENOUGH) drop();
  };
  const stop = (): void => {
    clearTimeout(timer);
    socket.off("data", onData).off("end", drop).off("close", stop).off("error", drop);
  };
  const handOn = (take: Take): void => {
    stop();
    socket.pause();
    socket.unshift(seen);
    take(socket);
  };
  socket.on("data", onData).on("end", drop).on("close", stop).on("error", drop);
}
