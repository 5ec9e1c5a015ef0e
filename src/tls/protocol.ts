/** The options of TLS that no file holds. */
import type { SecureContextOptions, TLSSocket, TlsOptions } from "node:tls";
import { CIPHER_SUITES, DEFAULT_SUITES } from "../config/cipher-suites.ts";
import type { ClientAuth, TlsConfig } from "../config/tls-config.ts";

/** What every context has, whichever certificate it shows. TLS 1.3 has its own suites, which no configuration chooses. */
export function protocolOptions({ minimumtls, ciphersuites }: TlsConfig): SecureContextOptions {
  const listed = ciphersuites.length > 0 ? ciphersuites : DEFAULT_SUITES;
  const older = listed.filter((name) => name.includes("_WITH_")).map((name) => CIPHER_SUITES.get(name) ?? name);
  return {
    minVersion: minimumtls === "tls1.3" || older.length === 0 ? "TLSv1.3" : "TLSv1.2",
    ciphers: [...OF_TLS_1_3, ...older].join(":"),
    allowPartialTrustChain: true, // as in the peers, whatever stands in a file of client CAs is trusted itself
  };
}

const OF_TLS_1_3: readonly string[] = [...CIPHER_SUITES.keys()].filter((name) => !name.includes("_WITH_"));

/** How a server asks for certificates of clients: not at all where there are no CAs to compare them with. */
export function clientOptions({ clientcas, clientauth }: TlsConfig): TlsOptions {
  if (clientcas.length === 0) return { requestCert: false };
  return { requestCert: true, rejectUnauthorized: clientauth === "require-and-verify-client-cert" };
}

/** Whether a client may come in, after its handshake. */
export function admits({ clientcas, clientauth }: TlsConfig, socket: TLSSocket): boolean {
  if (clientcas.length === 0) return true;
  return MEANINGS[clientauth](socket.getPeerX509Certificate() !== undefined, socket.authorized);
}

/** As Go has them: only two of the four verify anything. */
const MEANINGS: Readonly<Record<ClientAuth, (shown: boolean, verified: boolean) => boolean>> = {
  "request-client-cert": () => true,
  "require-any-client-cert": (shown) => shown,
  "verify-client-cert-if-given": (shown, verified) => !shown || verified,
  "require-and-verify-client-cert": (_shown, verified) => verified,
};
