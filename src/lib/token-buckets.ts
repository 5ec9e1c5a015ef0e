export interface BucketOptions {
  /** Tokens that a bucket gets a second. */
  readonly rate: number;
  /** Tokens of a full bucket. */
  readonly burst: number;
  /** Buckets in memory; of more, those used longest ago are forgotten, and so full again. */
  readonly most: number;
  /** ms, never going back */
  readonly now?: () => number;
}

interface Bucket {
  tokens: number;
  /** ms */
  filled: number;
}

/** A bucket of tokens for each key: whoever finds none has to wait. */
export class TokenBuckets {
  readonly #buckets = new Map<string, Bucket>();
  readonly #options: Required<BucketOptions>;

  constructor(options: BucketOptions) {
    this.#options = { now: () => performance.now(), ...options };
  }

  /** @returns 0 where a token was taken, else the ms until there will be one */
  take(key: string): number {
    const bucket = this.#filled(key);
    if (bucket.tokens < 1) return Math.ceil(((1 - bucket.tokens) / this.#options.rate) * 1000);
    bucket.tokens -= 1;
    return 0;
  }

  /** Takes tokens that were used elsewhere, also some that are not there: the next ones that come replace them. */
  debit(key: string, count: number): void {
    this.#filled(key).tokens -= count;
  }

  /** The bucket with what has come into it meanwhile, as the one used last. */
  #filled(key: string): Bucket {
    const { rate, burst, most, now } = this.#options;
    const at = now();
    const bucket = this.#buckets.get(key) ?? { tokens: burst, filled: at };
    bucket.tokens = Math.min(burst, bucket.tokens + ((at - bucket.filled) / 1000) * rate);
    bucket.filled = at;
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > most) this.#forgetOldest();
    return bucket;
  }

  #forgetOldest(): void {
    for (const key of this.#buckets.keys()) return void this.#buckets.delete(key);
  }
}
