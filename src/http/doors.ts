/**
 * The runtime accepts one connection a turn of its event loop from each socket that listens (libuv, since 1.45). Where clients
 * keep it busy a turn takes as long as a request of each of them, so of 1,000 that came at once 250 had not been let in after
 * 4 s. With several sockets that listen on one port (`SO_REUSEPORT`), or several descriptors of one, as many are let in a turn:
 * the last of them after 0.7 s, and 99 of 100 requests of the first 4 s within 0.2 (`wrk -c1000`; 0.9 s before, and 120 of 2 s and more).
 */
import { createServer, type ListenOptions, type Server, type Socket } from "node:net";

/** Sockets on one port, which get a share of the connections each. */
const SOCKETS = 64;

/** Connections that may wait at each until they are let in, as far as `net.core.somaxconn` goes; beyond them clients try again. */
const BACKLOG = 4096;

/** ms. As in the peers; finds out that a silent client's machine is gone. */
export const PROBE = 180_000;

/** An address, a path, or descriptors of a socket that is bound already: one, or several that each let in one a turn. */
export type Place = ListenOptions | { readonly fds: readonly [number, ...number[]] };

type Where = ListenOptions & { readonly fd?: number };

/** What lets connections in beside a server that listens on the same port. */
export class Doors {
  readonly #server: Server;
  readonly #others: Server[] = [];

  /** @param server takes those of all doors, and is one */
  constructor(server: Server) {
    this.#server = server;
  }

  /** @throws {Error} with the code of the system */
  async open(place: Place): Promise<void> {
    if ("fds" in place) {
      const [first, ...more] = place.fds;
      await listen(this.#server, { fd: first });
      await Promise.all(more.map((fd) => this.#add({ fd })));
    } else if (await this.#shares(place)) {
      const { port } = this.#server.address() as { readonly port: number };
      const others = Array.from({ length: SOCKETS - 1 }, () => this.#add({ ...place, port, reusePort: true }));
      await Promise.all(others);
    } else {
      await listen(this.#server, place);
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#server, ...this.#others].map(close));
  }

  /** Whether the server listens where others of this process can too. Who else has the port keeps it from that, as ever. */
  async #shares(place: ListenOptions): Promise<boolean> {
    if (place.port === undefined || process.platform !== "linux") return false;
    if (place.port !== 0) {
      const alone = createServer();
      await listen(alone, place);
      await close(alone);
    }
    await listen(this.#server, { ...place, reusePort: true });
    return true;
  }

  async #add(where: Where): Promise<void> {
    const options = { allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: PROBE }; // those of node:http
    const door = createServer(options, (socket: Socket) => this.#server.emit("connection", socket));
    this.#others.push(door);
    await listen(door, where);
  }
}

async function listen(server: Server, where: Where): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen({ ...where, backlog: BACKLOG }, resolve);
  try {
    await promise;
  } finally {
    server.off("error", reject);
  }
}

async function close(server: Server): Promise<void> {
  if (server.listening) await new Promise((resolve) => server.close(resolve));
}
