/**
 * Answers an authority that asks, over TLS itself, whether a name is ours: it shows a certificate that only who asked for
 * one can have made.
 *
 * @see RFC 8737
 */
import type { Socket } from "node:net";
import { createSecureContext, createServer, type SecureContext, type Server } from "node:tls";

export interface Proof {
  /** PEM. */
  readonly key: string;
  readonly cert: string;
}

export class ChallengeServer {
  readonly #proofs = new Map<string, SecureContext>();
  readonly #server: Server;

  constructor() {
    this.#server = createServer({
      ALPNProtocols: ["acme-tls/1"],
      SNICallback: (host, done) => {
        const proof = this.#proofs.get(host.toLowerCase());
        done(proof ? null : new Error("no authority was asked about this name"), proof);
      },
    });
    this.#server.on("secureConnection", (socket) => socket.end());
    this.#server.on("tlsClientError", (_error, socket) => socket.destroy());
  }

  /** Whether somebody may be asking. */
  get waits(): boolean {
    return this.#proofs.size > 0;
  }

  /** Shows `proof` to whoever asks about `host`, until it is disposed of. */
  show(host: string, proof: Proof): Disposable {
    this.#proofs.set(host, createSecureContext({ ...proof, minVersion: "TLSv1.2" }));
    return { [Symbol.dispose]: () => void this.#proofs.delete(host) };
  }

  take(socket: Socket): void {
    this.#server.emit("connection", socket);
  }
}
