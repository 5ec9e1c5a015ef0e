import type { Socket } from "node:net";
import type { Server, TLSSocket, TlsOptions } from "node:tls";

/** What the edge needs to know of encryption. */
export interface ServerTls {
  /** To make a server with: certificates, versions, ciphers, whether clients are asked for certificates. */
  readonly options: TlsOptions;
  /** Told of the server once; from then on the server gets every new certificate. */
  attach(server: Server): void;
  /** Whether the certificate that the client showed, or did not, is enough. */
  admits(socket: TLSSocket): boolean;
  /** Connections of an authority that checks whether a name is ours; undefined where none is expected now. */
  challenged(): ((socket: Socket) => void) | undefined;
}
