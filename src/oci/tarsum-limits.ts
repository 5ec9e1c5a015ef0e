/** What a tar may ask for at most. Above it there is an answer that says so, never more memory or time. */
export interface TarsumLimits {
  /** Entries of an archive, 2^20 at most. Each costs 76 to 108 bytes. */
  readonly entries: number;
  /** Bytes of one extended header, long name or long link. */
  readonly extensionBytes: number;
  /** Records of one extended header that mean something here; Linux itself stops at some 8000 attributes of a file. */
  readonly records: number;
  /** Fragments of one sparse file. */
  readonly fragments: number;
  /** Bytes of all holes of an archive together: zeros to be hashed that nobody sent. */
  readonly holeBytes: number;
}

export const TARSUM_LIMITS: TarsumLimits = {
  entries: 2 ** 20,
  extensionBytes: 2 ** 20,
  records: 2 ** 12,
  fragments: 2 ** 16,
  holeBytes: 2 ** 26,
};
