import type { Socket } from "node:net";
import { createSecureContext, type SecureContext, type Server, type TLSSocket, type TlsOptions } from "node:tls";
import type { TlsConfig } from "../config/tls-config.ts";
import { type AcmeCache, type Issued, parseIssued } from "./acme-cache.ts";
import { ChallengeServer, type Proof } from "./challenge-server.ts";
import type { Tls, TlsLog } from "./file-tls.ts";
import { readClientCas } from "./files.ts";
import { admits, clientOptions, protocolOptions } from "./protocol.ts";

/** Gets a certificate for one name; `show` lets the authority see the proof that the name is ours. */
export type Issuer = (host: string, show: (proof: Proof) => Disposable) => Promise<Pick<Issued, "key" | "cert">>;

export interface AcmeParts {
  readonly cache: AcmeCache;
  readonly issue: Issuer;
  readonly log: TlsLog;
  /** ms since 1970 */
  readonly now?: () => number;
  /** From 0 up to 1. */
  readonly random?: () => number;
  /** Runs `work` after so many ms; disposal forgets it. */
  readonly later?: (ms: number, work: () => void) => Disposable;
}

const HOUR = 3_600_000;

/** How long before its end a certificate is renewed, unless it is valid for less than three times that. ms */
const AHEAD = 30 * 24 * HOUR;

/** ms between two tries; twice as long after each that failed. Authorities refuse more than some five an hour. */
const FIRST_PATIENCE = HOUR / 12;
const LONGEST_PATIENCE = 12 * HOUR;

/** ms. A timer can wait no longer than three weeks, and a clock may be set. */
const LONGEST_WAIT = 12 * HOUR;

/** TLS with certificates that an authority gives and that are renewed in time. No other name than those listed gets one. */
export class AcmeTls implements Tls {
  readonly options: TlsOptions;
  readonly #config: TlsConfig;
  readonly #parts: Required<AcmeParts>;
  readonly #challenges = new ChallengeServer();
  readonly #hosts = new Map<string, Host>();

  /** @throws {ConfigError} */
  constructor(config: TlsConfig, parts: AcmeParts) {
    this.#config = config;
    this.#parts = { now: Date.now, random: Math.random, later, ...parts };
    for (const name of config.letsencrypt.hosts) {
      this.#hosts.set(plain(name), { end: 0, due: 0, patience: FIRST_PATIENCE });
    }
    this.#restore();
    this.options = {
      ...protocolOptions(config),
      ...readClientCas(config),
      ...clientOptions(config),
      SNICallback: (name, done) => this.#choose(name, done),
    };
  }

  /** Asks the authority from when it can reach us. */
  attach(server: Server): void {
    server.once("listening", () => {
      for (const [name, host] of this.#hosts) this.#schedule(name, host);
    });
  }

  admits(socket: TLSSocket): boolean {
    return admits(this.#config, socket);
  }

  challenged(): ((socket: Socket) => void) | undefined {
    return this.#challenges.waits ? (socket) => this.#challenges.take(socket) : undefined;
  }

  /** Takes certificates that somebody else put into the cache. */
  reload(): void {
    this.#restore();
  }

  [Symbol.dispose](): void {
    for (const host of this.#hosts.values()) host.next?.[Symbol.dispose]();
    this.#hosts.clear();
  }

  /** From the cache. One that cannot be read there will be got anew, and does not keep the others from being served. */
  #restore(): void {
    for (const [name, host] of this.#hosts) {
      try {
        this.#use(name, host, this.#parts.cache.get(name));
      } catch (error) {
        this.#parts.log.error(`http.tls: the certificate of ${name} cannot be read: ${messageOf(error)}`);
      }
    }
  }

  #use(name: string, host: Host, issued: Issued | undefined): void {
    if (!issued || issued.end <= host.end) return;
    const { key, cert } = issued;
    host.context = createSecureContext({ ...protocolOptions(this.#config), ...readClientCas(this.#config), key, cert });
    host.end = issued.end;
    host.due = issued.end - Math.min(AHEAD, (issued.end - issued.start) / 3);
    this.#parts.log.info(`http.tls: the certificate of ${name} is valid until ${new Date(host.end).toISOString()}`);
  }

  #choose(name: string, done: (error: Error | null, context?: SecureContext) => void): void {
    const context = this.#hosts.get(plain(name))?.context;
    done(context ? null : new Error(`there is no certificate for this name`), context);
  }

  #schedule(name: string, host: Host): void {
    const { now, random, later } = this.#parts;
    const due = host.due - now() - random() * HOUR;
    if (due <= 0) return void this.#renew(name, host);
    host.next = later(Math.min(due, LONGEST_WAIT), () => this.#schedule(name, host));
  }

  async #renew(name: string, host: Host): Promise<void> {
    const { issue, cache, log, random, later } = this.#parts;
    try {
      const issued = await issue(name, (proof) => this.#challenges.show(name, proof));
      const parsed = parseIssued(`${issued.key}\n${issued.cert}`, name);
      if (!parsed) throw new Error("the authority sent a certificate for another name or key");
      this.#use(name, host, parsed);
      cache.put(name, issued);
      host.patience = FIRST_PATIENCE;
    } catch (error) {
      log.error(`http.tls: no certificate for ${name}: ${messageOf(error)}`);
    }
    if (!this.#hosts.has(name)) return;
    const wait = host.patience * (1 + random() / 4);
    host.patience = Math.min(2 * host.patience, LONGEST_PATIENCE);
    host.next = later(wait, () => this.#schedule(name, host));
  }
}

interface Host {
  context?: SecureContext;
  /** ms since 1970 of its certificate's end; 0 where there is none. */
  end: number;
  /** ms since 1970, from when it is to be renewed. */
  due: number;
  /** ms to the next try. */
  patience: number;
  next?: Disposable;
}

/** Where a name has several addresses, their errors are one that says nothing itself. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const inner = error instanceof AggregateError ? error.errors.map(messageOf).join("; ") : "";
  return [error.message, inner].filter((text) => text !== "").join(": ");
}

/** Names of hosts have no case, and may end in a dot. */
function plain(name: string): string {
  return name.toLowerCase().replace(/\.$/, "");
}

function later(ms: number, work: () => void): Disposable {
  const timer = setTimeout(work, ms).unref();
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}
