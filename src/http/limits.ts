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

/** Addresses, and users, that are remembered: some 2 MB at most. */
const MOST = 20_000;

/** How much clients may ask for. Everything throws {@link TooManyRequests} where it is more. */
export class Limits {
  readonly #addresses: TokenBuckets | undefined;
  readonly #users: TokenBuckets | undefined;
  readonly #mostUploads: number;
  #uploads = 0;

  constructor({ uploads, address, user }: LimitOptions, now?: () => number) {
    const open = ({ rate, burst }: Rate): TokenBuckets | undefined =>
      rate > 0 ? new TokenBuckets({ rate, burst, most: MOST, ...(now && { now }) }) : undefined;
    this.#addresses = open(address);
    this.#users = open(user);
    this.#mostUploads = uploads;
  }

  /** Whether it matters where requests come from. */
  get countsAddresses(): boolean {
    return this.#addresses !== undefined;
  }

  /** @param address undefined where there is none, as behind a socket of the file system: then nothing is counted */
  countAddress(address: string | undefined): void {
    if (address === undefined) return;
    const wait = this.#addresses?.take(networkOf(address)) ?? 0;
    if (wait > 0) throw new TooManyRequests("too many requests from this address", wait / 1000);
  }

  /** @param user "" for whoever did not log in, of which the address alone is counted */
  countUser(user: string): void {
    const wait = user === "" ? 0 : (this.#users?.take(user) ?? 0);
    if (wait > 0) throw new TooManyRequests("too many requests of this user", wait / 1000);
  }

  /** To be disposed of when the request ends. */
  beginUpload(): Disposable {
    if (this.#mostUploads > 0 && this.#uploads >= this.#mostUploads) {
      throw new TooManyRequests("too many uploads at once; try again in a moment");
    }
    this.#uploads += 1;
    return {
      [Symbol.dispose]: () => {
        this.#uploads -= 1;
      },
    };
  }
}
