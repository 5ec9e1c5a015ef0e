import { statSync } from "node:fs";
import type { FileStamp } from "./driver.ts";
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

/** Takes the stamp of a file or folder. */
export type TakeStamp = (file: string) => FileStamp | undefined;

/** @returns undefined where the file system is none of those that can be asked without a promise */
export async function stampsBelow(root: string): Promise<TakeStamp | undefined> {
  if (process.platform !== "linux" || !LOCAL.has((await statfs(root)).type)) return undefined;
  const { dev } = await stat(root, { bigint: true });
  return (file) => takeStamp(file, dev);
}

/** 2 to 3 µs, where a trip through the pool costs 36 (one core, ext4). What another file system is mounted at has none. */
function takeStamp(file: string, device: bigint): FileStamp | undefined {
  try {
    const status = statSync(file, { bigint: true, throwIfNoEntry: false });
    if (status?.dev !== device) return undefined;
    const { ino, mtimeNs, ctimeNs, size } = status;
    return { inode: ino, modified: mtimeNs, changed: ctimeNs, size, isDirectory: status.isDirectory() };
  } catch {
    return undefined; // why not, the asynchronous call will say
  }
}
