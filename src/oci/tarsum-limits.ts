/** What a tar may ask for at most. Above it there is an answer that says so, never more memory or time. */
export interface TarsumLimits {
  /** Entries of an archive, 2^20 at most. Each costs 64 to 120 bytes. */
  readonly entries: number;
  /** Bytes of one extended header, long name or long link. */
  readonly extensionBytes: number;
  /** Fragments of one sparse file. */
  readonly fragments: number;
  /** Bytes of all holes of an archive together: zeros to be hashed that nobody sent. */
  readonly holeBytes: number;
}

export const TARSUM_LIMITS: TarsumLimits = {
  entries: 2 ** 20,
  extensionBytes: 2 ** 20,
  fragments: 2 ** 16,
  holeBytes: 2 ** 28,
};
