import type { FileInfo, FileStamp } from "./driver.ts";

/** The clock that file systems take times from goes in steps of up to 10 ms. ns, with some to spare */
const SETTLED_AFTER = 50_000_000n;

export function isSameStamp(one: FileStamp, other: FileStamp): boolean {
  return (
    one.inode === other.inode &&
    one.changed === other.changed &&
    one.modified === other.modified &&
    one.size === other.size
  );
}

/**
 * Whether any change from now on gives another stamp: one in the same step of the clock would not. A time to come, which a
 * clock that was set back leaves, never is.
 * @param now when the stamp was taken; ms since 1970
 */
export function isSettled({ changed, modified }: FileStamp, now: number): boolean {
  return BigInt(now) * 1_000_000n - (changed > modified ? changed : modified) >= SETTLED_AFTER;
}

/** The same as `stat` of such a store says. */
export function toFileInfo({ size, modified, isDirectory }: FileStamp): FileInfo {
  const milliseconds = Number(modified / 1_000_000_000n) * 1000 + Number(modified % 1_000_000_000n) / 1_000_000;
  return { size: isDirectory ? 0 : Number(size), isDirectory, modified: milliseconds };
}
