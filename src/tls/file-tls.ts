import type { Socket } from "node:net";
import type { SecureContextOptions, Server, TLSSocket, TlsOptions } from "node:tls";
import type { TlsConfig } from "../config/tls-config.ts";
import { readClientCas, readPair, stampOf } from "./files.ts";
import { admits, clientOptions, protocolOptions } from "./protocol.ts";
import type { ServerTls } from "./server-tls.ts";
import { faultOf } from "./validity.ts";

export interface TlsLog {
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** TLS that can be renewed while it serves. */
export interface Tls extends ServerTls, Disposable {
  /** Reads its files again; a fault in them is logged, and what was there before stays. */
  reload(): void;
}

/**
 * TLS with a certificate of the operator's. Its files are looked at every few seconds; a new certificate, key or list of
 * client CAs counts for new connections, also for those that would resume a session of before.
 */
export class FileTls implements Tls {
  readonly options: TlsOptions;
  readonly #config: TlsConfig;
  readonly #log: TlsLog;
  readonly #now: () => number;
  readonly #servers = new Set<Server>();
  /** Of the files that count now. */
  #stamp: string;
  /** The chain in PEM that is shown now. */
  #shown = "";
  /** What was last said of its dates. */
  #fault: string | undefined;
  /** Why the files that are there cannot be used, as it was last said. */
  #refusal: string | undefined;

  /**
   * @param now ms since 1970
   * @throws {ConfigError}
   */
  constructor(config: TlsConfig, log: TlsLog, now: () => number = Date.now) {
    this.#config = config;
    this.#log = log;
    this.#now = now;
    this.#stamp = stampOf(config);
    this.options = { ...this.#read(), ...clientOptions(config) };
    this.#checkValidity();
  }

  attach(server: Server): void {
    this.#servers.add(server);
  }

  admits(socket: TLSSocket): boolean {
    return admits(this.#config, socket);
  }

  challenged(): ((socket: Socket) => void) | undefined {
    return undefined;
  }

  /**
   * Reads the files again where one of them changed, until they can be used; the log is told once of each reason why they
   * cannot, and of a certificate that ends.
   */
  look(): void {
    if (stampOf(this.#config) !== this.#stamp) this.#renew();
    this.#checkValidity();
  }

  reload(): void {
    this.#refusal = undefined; // whoever asks is answered
    this.#renew();
    this.#checkValidity();
  }

  #renew(): void {
    try {
      const stamp = stampOf(this.#config); // before the reading, so that a change meanwhile is seen at the next look
      const context = this.#read();
      for (const server of this.#servers) server.setSecureContext(context);
      this.#stamp = stamp;
      this.#refusal = undefined;
      this.#log.info("the files of http.tls were read again; new connections get the certificate that is there now");
    } catch (error) {
      this.#refuse(error instanceof Error ? error.message : String(error));
    }
  }

  /** The cause may pass without a change of the files, so that the next look tries them again. */
  #refuse(reason: string): void {
    if (reason !== this.#refusal)
      this.#log.error(`the files of http.tls cannot be used, so those of before stay: ${reason}`);
    this.#refusal = reason;
  }

  [Symbol.dispose](): void {
    this.#servers.clear();
  }

  #read(): SecureContextOptions {
    const [pair, cas] = [readPair(this.#config), readClientCas(this.#config)];
    this.#shown = pair.cert;
    return { ...protocolOptions(this.#config), ...pair, ...cas };
  }

  #checkValidity(): void {
    const fault = faultOf(this.#shown, this.#now());
    if (fault !== undefined && fault !== this.#fault) this.#log.warn(`http.tls: the certificate ${fault}`);
    this.#fault = fault;
  }
}
