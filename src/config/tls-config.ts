export interface TlsConfig {
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
  readonly clientcas: readonly string[];
  readonly clientauth: ClientAuth;
  readonly minimumtls: "tls1.2" | "tls1.3";
  /** Empty: the default suites. */
  readonly ciphersuites: readonly string[];
  readonly letsencrypt: {
    readonly cachefile?: string | undefined;
    readonly email?: string | undefined;
    readonly hosts: readonly string[];
    readonly directoryurl?: string | undefined;
  };
}

export type ClientAuth =
  | "request-client-cert"
  | "require-any-client-cert"
  | "verify-client-cert-if-given"
  | "require-and-verify-client-cert";
