/**
 * The runtime accepts one connection a turn of its event loop from each socket that listens (libuv, since 1.45). Where clients
 * keep it busy a turn takes as long as a request of each of them, so a thousand that come at once wait for seconds. With several
 * sockets that listen on one port (`SO_REUSEPORT`), or several descriptors of one, as many are let in a turn. Figures:
 * decisions/0024.
 */
import { type AddressInfo, createServer, type ListenOptions, type Server, type Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import { listen } from "../lib/listening.ts";

/** Sockets on one port, which get a share of the connections each. */
const SOCKETS = 64;

/** Connections that may wait at each until they are let in, as far as `net.core.somaxconn` goes; beyond them clients try again. */
const BACKLOG = 4096;

/** How often it is tried to be the only one that opens a port, and ms between. It takes one millisecond. */
const ATTEMPTS = 100;
const PAUSE = 10;

/** ms. As in the peers; finds out that a silent client's machine is gone. */
const PROBE = 180_000;

/** Of every connection. */
export const PROBED: { readonly keepAlive: true; readonly keepAliveInitialDelay: number } = {
  keepAlive: true,
  keepAliveInitialDelay: PROBE,
};

/** An address, a path, or descriptors of a socket that is bound already: one, or several that each let in one a turn. */
export type Where = ListenOptions | { readonly fds: readonly [number, ...number[]] };

/** A server, and what lets connections in beside it on the same port. */
export class Doors {
  readonly #server: Server;
  readonly #others: Server[] = [];

  /** @param server takes those of all doors, and is one */
  constructor(server: Server) {
    this.#server = server;
  }

  /** @throws {Error} with the code of the system */
  async open(where: Where): Promise<void> {
    if ("fds" in where) await this.#openGiven(where.fds);
    else if (where.port !== undefined && process.platform === "linux") await this.#share(where);
    else await listen(this.#server, where, BACKLOG);
  }

  /** Resolves when the last connection of all doors has gone. */
  async close(): Promise<void> {
    await Promise.all([this.#server, ...this.#others].map(close));
  }

  async #openGiven([first, ...more]: readonly [number, ...number[]]): Promise<void> {
    await listen(this.#server, { fd: first }, BACKLOG);
    await Promise.all(more.map((fd) => this.#add({ fd })));
  }

  /** Who else has the port keeps it from us, as ever. */
  async #share(where: ListenOptions): Promise<void> {
    await using _ours = where.port === 0 ? undefined : await lock(where.port);
    if (where.port !== 0) await checkFree(where);
    await listen(this.#server, { ...where, reusePort: true }, BACKLOG);
    const { port } = this.#server.address() as AddressInfo;
    const others = Array.from({ length: SOCKETS - 1 }, () => this.#add({ ...where, port, reusePort: true }));
    await Promise.all(others);
  }

  async #add(where: ListenOptions | { readonly fd: number }): Promise<void> {
    const { allowHalfOpen } = this.#server as Server & { readonly allowHalfOpen?: boolean }; // one with TLS has another
    const options = { allowHalfOpen, noDelay: true, ...PROBED };
    const door = createServer(options, (socket: Socket) => this.#server.emit("connection", socket));
    this.#others.push(door);
    await listen(door, where, BACKLOG);
  }
}

/**
 * Of two processes that find a port free at the same moment both could share it. So they look one after the other: a name of this kind
 * is in no file system, belongs to one process, and goes with it.
 *
 * @see man 7 unix, "Abstract sockets"
 */
async function lock(port: number | undefined): Promise<AsyncDisposable> {
  const held = createServer();
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    try {
      await listen(held, { path: `\0wharfinger opens ${port}` });
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") break; // the system has no such names, or lets nobody have them
      await setTimeout(PAUSE); // one that is held for good keeps nobody from starting
    }
  }
  return { [Symbol.asyncDispose]: () => close(held) };
}

async function checkFree(where: ListenOptions): Promise<void> {
  const alone = createServer();
  await listen(alone, where);
  await close(alone);
}

async function close(server: Server): Promise<void> {
  if (server.listening) await new Promise((resolve) => server.close(resolve));
}
