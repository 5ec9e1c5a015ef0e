import { networkOf } from "../lib/network.ts";
import { TokenBuckets } from "../lib/token-buckets.ts";
import { TooManyRequests } from "../oci/errors.ts";

export interface Rate {
  /** Requests a second; 0: no limit. */
  readonly rate: number;
  /** Requests that may come at once. */
  readonly burst: number;
}

export interface LimitOptions {
  /** Requests with bytes of uploads at a time; 0: no limit. */
  readonly uploads: number;
  readonly address: Rate;
  readonly user: Rate;
}

/** What other processes of the same registry admit. Behind by a moment, so together they may admit a little more. */
export interface LimitPeers {
  /** Uploads that others have right now. */
  readonly uploads: number;
  /** How many this process has from now on. */
  tellUploads(count: number): void;
  /** A request was counted here. */
  tellTaken(kind: LimitKind, key: string): void;
  /** @param take told of requests that others counted */
  heed(take: (kind: LimitKind, key: string, count: number) => void): Disposable;
}

export type LimitKind = "address" | "user";

/** Addresses, and users, that are remembered: some 2 MB at most. */
const MOST = 20_000;

/** How much clients may ask for. Everything throws {@link TooManyRequests} where it is more. */
export class Limits implements Disposable {
  readonly #addresses: TokenBuckets | undefined;
  readonly #users: TokenBuckets | undefined;
  readonly #mostUploads: number;
  readonly #peers: LimitPeers | undefined;
  readonly #heeding: Disposable | undefined;
  #uploads = 0;

  constructor({ uploads, address, user }: LimitOptions, now?: () => number, peers?: LimitPeers) {
    const open = ({ rate, burst }: Rate): TokenBuckets | undefined =>
      rate > 0 ? new TokenBuckets({ rate, burst, most: MOST, ...(now && { now }) }) : undefined;
    this.#addresses = open(address);
    this.#users = open(user);
    this.#mostUploads = uploads;
    this.#peers = peers;
    this.#heeding = peers?.heed((kind, key, count) => this.#bucketsOf(kind)?.debit(key, count));
  }

  /** Whether it matters where requests come from. */
  get countsAddresses(): boolean {
    return this.#addresses !== undefined;
  }

  /** @param address undefined where there is none, as behind a socket of the file system: then nothing is counted */
  countAddress(address: string | undefined): void {
    if (address === undefined) return;
    const wait = this.#addresses ? this.#take("address", this.#addresses, networkOf(address)) : 0;
    if (wait > 0) throw new TooManyRequests("too many requests from this address", wait / 1000);
  }

  /** @param user "" for whoever did not log in, of which the address alone is counted */
  countUser(user: string): void {
    const wait = user === "" || !this.#users ? 0 : this.#take("user", this.#users, user);
    if (wait > 0) throw new TooManyRequests("too many requests of this user", wait / 1000);
  }

  /** To be disposed of when the request ends. */
  beginUpload(): Disposable {
    if (this.#mostUploads > 0 && this.#uploads + (this.#peers?.uploads ?? 0) >= this.#mostUploads) {
      throw new TooManyRequests("too many uploads at once; try again in a moment");
    }
    this.#countUploads(1);
    return { [Symbol.dispose]: () => this.#countUploads(-1) };
  }

  [Symbol.dispose](): void {
    this.#heeding?.[Symbol.dispose]();
  }

  #countUploads(more: number): void {
    this.#uploads += more;
    if (this.#mostUploads > 0) this.#peers?.tellUploads(this.#uploads);
  }

  #take(kind: LimitKind, buckets: TokenBuckets, key: string): number {
    const wait = buckets.take(key);
    if (wait === 0) this.#peers?.tellTaken(kind, key);
    return wait;
  }

  #bucketsOf(kind: LimitKind): TokenBuckets | undefined {
    return kind === "address" ? this.#addresses : this.#users;
  }
}
