import type { HttpServer } from "./http-server.ts";

/** Other processes that listen on the same address. Behind by a moment, so of many that come at once each may take as many. */
export interface ConnectionPeers {
  /** How many connections this process has from now on. */
  tellConnections(count: number): void;
  /** @param heed told, at once and from now on, how many the others have */
  heedConnections(heed: (others: number) => void): void;
}

/** Has a server take as many connections as others leave of all that may be taken. */
export class SharedConnections {
  readonly #server: HttpServer;
  readonly #peers: ConnectionPeers;
  #open = 0;
  #others = 0;
  #most: number;

  /** @param most 0: no limit, and nobody is told anything */
  constructor(server: HttpServer, peers: ConnectionPeers, most: number) {
    this.#server = server;
    this.#peers = peers;
    this.#most = most;
    server.server.on("connection", (socket) => {
      if (socket.destroyed) return; // it was one too many
      this.#count(1);
      socket.once("close", () => this.#count(-1));
    });
    peers.heedConnections((others) => {
      this.#others = others;
      this.limitConnections(this.#most);
    });
  }

  /** @param most over all processes. 0: no limit */
  limitConnections(most: number): void {
    const begins = most > 0 && this.#most === 0;
    this.#most = most;
    this.#server.limitConnections(most, this.#others);
    if (begins) this.#count(0);
  }

  #count(more: number): void {
    this.#open += more;
    if (this.#most > 0) this.#peers.tellConnections(this.#open);
  }
}
