import { splitCredentials } from "../../lib/url-credentials.ts";
import { waited } from "../../lib/waited.ts";
import type { Warn } from "../file-content.ts";
import { parseKeySet, type TrustedKeys } from "./trusted-keys.ts";

export interface RemoteKeysOptions {
  /** A name and a password in it are sent, and never told. */
  readonly url: string;
  readonly warn: Warn;
  readonly fetch?: typeof fetch | undefined;
  /** ms, never going back */
  readonly now?: (() => number) | undefined;
  /** @returns false where `signal` came first */
  readonly wait?: ((ms: number, signal: AbortSignal) => Promise<boolean>) | undefined;
}

/** ms */
const PERIOD = 5 * 60_000;
/** ms between two requests, whatever unknown keys tokens name. */
const PAUSE = 10_000;
/** ms */
const PATIENCE = 5_000;
/** Bytes. */
const LIMIT = 1024 * 1024;

/**
 * A JWK Set behind a URL: read at the start, every five minutes, and when a token names a key that is not in it. While it
 * cannot be had, what it said before counts.
 */
export class RemoteKeys implements AsyncDisposable {
  readonly #options: RemoteKeysOptions;
  readonly #now: () => number;
  readonly #end = new AbortController();
  readonly #rounds: Promise<void>;
  #text: string | undefined;
  #keys: TrustedKeys | undefined;
  #asked = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | undefined;
  #isDown = false;

  private constructor(options: RemoteKeysOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#rounds = this.#keepUp(options.wait ?? waited);
  }

  /** Whether the URL answers or not. */
  static async open(options: RemoteKeysOptions): Promise<RemoteKeys> {
    const keys = new RemoteKeys(options);
    await keys.refresh();
    return keys;
  }

  /** The same object as long as the URL says the same; undefined where it was never understood. */
  get current(): TrustedKeys | undefined {
    return this.#keys;
  }

  /** Asks the URL, unless it was asked within the last seconds. Never throws. */
  async refresh(): Promise<void> {
    if (this.#asking === undefined && this.#now() - this.#asked < PAUSE) return;
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    await this.#asking;
  }

  async #keepUp(wait: NonNullable<RemoteKeysOptions["wait"]>): Promise<void> {
    while (await wait(PERIOD, this.#end.signal)) await this.refresh();
  }

  async #ask(): Promise<void> {
    this.#asked = this.#now();
    try {
      const text = await this.#read();
      if (text !== this.#text) this.#keys = parseKeySet(text, false);
      this.#text = text;
      this.#isDown = false;
    } catch (error) {
      if (!this.#isDown && !this.#end.signal.aborted) this.#tell(error);
      this.#isDown = true;
    }
  }

  /** Goes where the operator said and nowhere else. */
  async #read(): Promise<string> {
    const { fetch: get = fetch } = this.#options;
    const { url, authorization } = splitCredentials(this.#options.url);
    const headers = { accept: "application/json", ...(authorization && { authorization }) };
    const signal = AbortSignal.any([this.#end.signal, AbortSignal.timeout(PATIENCE)]);
    const response = await get(url, { headers, redirect: "error", signal });
    if (!response.ok) throw new Error(`the answer has the status ${response.status}`);
    const parts: Uint8Array[] = [];
    let size = 0;
    for await (const part of response.body ?? []) {
      size += part.length;
      if (size > LIMIT) throw new Error(`the answer has more than ${LIMIT} bytes`);
      parts.push(part);
    }
    return Buffer.concat(parts).toString();
  }

  #tell(error: unknown): void {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const reason = cause instanceof Error ? cause.message : String(cause);
    const consequence = this.#keys ? "the ones before count" : "there are none from there";
    this.#options.warn(`the keys of auth.token.jwks cannot be read, ${consequence}`, { reason });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    await this.#rounds;
    await this.#asking;
  }
}
