/**
 * The file system's calls as promises, on plain descriptors, and what their failures mean.
 *
 * Not `node:fs/promises`: an open, fstat, read and close cost 24 µs there with 16 at a time and 11 µs here, a failing stat
 * 15 against 6. `readFile` of 71 bytes takes one trip through the pool, 36 µs alone and 5 µs with 16 at a time (Node
 * 26.10, ext4 in memory).
 */
import fs from "node:fs";
import { promisify } from "node:util";
import { PathNotFound, StorageError, StorageFull } from "./errors.ts";

/** The driver's name in errors. */
export const FILESYSTEM = "filesystem";

export const open: typeof fs.open.__promisify__ = promisify(fs.open);
export const close: typeof fs.close.__promisify__ = promisify(fs.close);
export const read: typeof fs.read.__promisify__ = promisify(fs.read);
export const write: typeof fs.write.__promisify__ = promisify(fs.write);
export const fsync: typeof fs.fsync.__promisify__ = promisify(fs.fsync);
export const stat: typeof fs.stat.__promisify__ = promisify(fs.stat);
export const statfs: typeof fs.statfs.__promisify__ = promisify(fs.statfs);
export const access: typeof fs.access.__promisify__ = promisify(fs.access);
export const mkdir: typeof fs.mkdir.__promisify__ = promisify(fs.mkdir);
export const readdir: typeof fs.readdir.__promisify__ = promisify(fs.readdir);
export const rename: typeof fs.rename.__promisify__ = promisify(fs.rename);
export const unlink: typeof fs.unlink.__promisify__ = promisify(fs.unlink);
export const rmdir: typeof fs.rmdir.__promisify__ = promisify(fs.rmdir);
export const rm: typeof fs.rm.__promisify__ = promisify(fs.rm);
export const readFile: typeof fs.readFile.__promisify__ = promisify(fs.readFile);

/** Runs what looks for `path`: nothing there, a folder, a file in the way or a name too long to exist are `PathNotFound`. */
export async function finding<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isAbsence(error) ? new PathNotFound(FILESYSTEM, path) : toStorageError(error);
  }
}

/** Runs what changes the file system. */
export async function changing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toStorageError(error);
  }
}

export function codeOf(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}

export function toStorageError(error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  const code = codeOf(error);
  if (code === "ENOSPC" || code === "EDQUOT") return new StorageFull(FILESYSTEM, { cause: error });
  const call = (error as NodeJS.ErrnoException | undefined)?.syscall;
  return new StorageError(FILESYSTEM, `${call ?? "a call"} failed: ${code ?? "unknown error"}`, { cause: error });
}

/** A loop of symbolic links leads nowhere too. */
const ABSENCES: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "EISDIR", "ENAMETOOLONG", "ELOOP"]);

function isAbsence(error: unknown): boolean {
  const code = codeOf(error);
  return code !== undefined && ABSENCES.has(code);
}
