import { request } from "node:https";
import { connect, type SecureVersion } from "node:tls";
import type { ClientCertificate } from "./place.ts";

export interface Handshake {
  readonly client?: ClientCertificate;
  /** Of TLS 1.2. */
  readonly suite?: string;
  readonly newest?: SecureVersion;
  readonly protocols?: readonly string[];
}

export interface Handshaken {
  /** Whether it, or what follows, fails. */
  readonly problem: boolean;
  readonly protocol: string | undefined;
  /** Of the registry's certificate. */
  readonly fingerprint: string | undefined;
}

export async function handshake(port: number, options: Handshake): Promise<Handshaken> {
  const { client, suite, newest, protocols = ["http/1.1"] } = options;
  const { promise, resolve } = Promise.withResolvers<Handshaken>();
  const socket = connect({
    ...{ host: "127.0.0.1", port, rejectUnauthorized: false, ALPNProtocols: [...protocols], ...client },
    ...(suite && { ciphers: suite, maxVersion: "TLSv1.2" as const }),
    ...(newest && { maxVersion: newest }),
  });
  socket.once("error", () => resolve({ problem: true, protocol: undefined, fingerprint: undefined }));
  socket.once("secureConnect", () => {
    // A certificate that is missing is told of after the handshake of TLS 1.3, instead of an answer.
    socket.write("GET /v2/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    const fingerprint = socket.getPeerX509Certificate()?.fingerprint256;
    const told = { protocol: socket.alpnProtocol || undefined, fingerprint };
    socket.once("data", () => resolve({ problem: false, ...told }));
    socket.once("end", () => resolve({ problem: true, ...told }));
  });
  return await promise.finally(() => socket.destroy());
}

export interface Credentials {
  readonly client?: ClientCertificate;
  /** `user:password` */
  readonly password?: string;
  readonly token?: string;
}

/** Status and challenge of the API. */
export type Admission = readonly [status: number | undefined, challenge: string | null];

export function askByTls(port: number, { client, password, token }: Credentials): Promise<Admission> {
  const { promise, resolve, reject } = Promise.withResolvers<Admission>();
  const authorization = password ? `Basic ${btoa(password)}` : token && `Bearer ${token}`;
  const options = {
    ...{ host: "127.0.0.1", port, path: "/v2/", rejectUnauthorized: false, agent: false as const, ...client },
    ...(authorization && { headers: { authorization } }),
  };
  request(options, (answer) => {
    answer.resume();
    resolve([answer.statusCode, answer.headers["www-authenticate"] ?? null]);
  })
    .on("error", reject)
    .end();
  return promise;
}
