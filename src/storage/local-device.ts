import { stat, statfs } from "./filesystem-calls.ts";

/**
 * `f_type` of file systems of this machine, whose inodes are in memory after their first use and whose times come from its own
 * clock. A network's may hang for minutes, and tells of others' changes late.
 *
 * @see man 2 statfs
 */
const LOCAL: ReadonlySet<number> = new Set([
  0xef53, // ext2, ext3, ext4
  0x5846_5342, // XFS
  0x9123_683e, // Btrfs
  0xf2f5_2010, // F2FS
  0x0102_1994, // tmpfs
  0x794c_7630, // overlayfs
]);

/** @returns the device a folder lies on; undefined where that may not be one of this machine */
export async function localDeviceOf(folder: string): Promise<bigint | undefined> {
  if (process.platform !== "linux" || !LOCAL.has((await statfs(folder)).type)) return undefined;
  return (await stat(folder, { bigint: true })).dev;
}
