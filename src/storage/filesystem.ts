/**
 * Objects as files below a root folder, in the layout and with the modes of docker/distribution's driver of this name:
 *
 *     <rootdirectory>/docker/registry/v2/…/link
 *     <rootdirectory>/docker/registry/v2/…/link.<uuid>.tmp     while it is being replaced, or left by a crash
 *
 * Everything that waits runs in libuv's pool, which bounds how much runs at once.
 */
import { randomUUID } from "node:crypto";
import { closeSync, constants } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { getSystemErrorMessage } from "node:util";
import { checkFolder, checkOffset, checkPath } from "./checks.ts";
import type {
  DetailingDriver,
  FileInfo,
  FileReader,
  FileWriter,
  ListedChild,
  PutOptions,
  StampingDriver,
} from "./driver.ts";
import { Directories } from "./durable.ts";
import { PathNotFound, StorageError } from "./errors.ts";
import {
  access,
  changing,
  close,
  codeOf,
  FILESYSTEM,
  finding,
  fsync,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
  stat,
  unlink,
  write,
} from "./filesystem-calls.ts";
import { listChildren, listNames } from "./filesystem-listing.ts";
import { openReader } from "./filesystem-reader.ts";
import { stampsBelow, type TakeStamp } from "./filesystem-stamps.ts";
import { openWriter } from "./filesystem-writer.ts";
import { FolderSyncs, syncFolder, syncLocalFolder } from "./folder-syncs.ts";
import { type PromptReads, promptReadsBelow } from "./prompt-reads.ts";

/** How often a tree is removed again where others go on filling it. */
const REMOVALS = 20;

/** Files of a folder that are removed at once. */
const FLAT = 16;

export interface FilesystemOptions {
  /** Made where it is missing. */
  readonly rootdirectory: string;
  /** False: a root that cannot be written is no reason to refuse it. */
  readonly writable?: boolean;
}

/** @throws {StorageError} in one sentence for the operator where the root cannot be made, read or written */
export async function openFilesystem(options: FilesystemOptions): Promise<FilesystemDriver> {
  const root = resolve(options.rootdirectory);
  try {
    await makeRoot(root);
    const write = options.writable === false ? 0 : constants.W_OK;
    await access(`${root}/.`, constants.R_OK | constants.X_OK | write);
    const takeStamp = await stampsBelow(root);
    const syncs = new FolderSyncs(takeStamp ? syncLocalFolder : syncFolder);
    return new FilesystemDriver(root, new Directories(syncs), takeStamp, await promptReadsBelow(root));
  } catch (error) {
    throw new StorageError(FILESYSTEM, `cannot use the root directory ${root}: ${reasonOf(error)}`, { cause: error });
  }
}

/** Folder by folder: where the system refuses a folder as if its parent were missing, as in /proc, Node tries for ever. */
async function makeRoot(root: string): Promise<void> {
  const parent = dirname(root);
  if (parent !== root) await makeRoot(parent);
  if (await stat(root).catch(() => undefined)) return;
  await mkdir(root).catch((error: unknown) => {
    if (codeOf(error) !== "EEXIST") throw error;
  });
  await syncFolder(parent);
}

export class FilesystemDriver implements DetailingDriver {
  readonly name: string = FILESYSTEM;
  readonly location: string;
  /** There where the file system is one of this machine. */
  readonly stampOf?: StampingDriver["stampOf"];
  readonly #directories: Directories;
  readonly #promptReads: PromptReads | undefined;
  /** The root as a prefix of driver paths. */
  readonly #prefix: string;

  /** @param root absolute and there; {@link openFilesystem} sees to that */
  constructor(
    root: string,
    directories: Directories = new Directories(),
    takeStamp?: TakeStamp,
    promptReads?: PromptReads,
  ) {
    this.location = root;
    this.#prefix = root === "/" ? "" : root;
    this.#directories = directories;
    this.#promptReads = promptReads;
    if (takeStamp) this.stampOf = (path) => takeStamp(this.#folderOf(path));
  }

  async getContent(path: string): Promise<Uint8Array> {
    const file = this.#fileOf(path);
    return finding(path, () => readFile(file));
  }

  async putContent(path: string, content: Uint8Array, options?: PutOptions): Promise<void> {
    const file = this.#fileOf(path);
    const durable = options?.durable !== false;
    await changing(async () => {
      await this.#directories.inside(dirname(file), "missing", () =>
        replace(file, content, { durable, local: this.#isLocal }),
      );
      if (durable) await this.#directories.sync(dirname(file));
    });
  }

  async reader(path: string, offset: number = 0): Promise<FileReader> {
    const file = this.#fileOf(path);
    checkOffset(FILESYSTEM, path, offset);
    return finding(path, () => openReader(file, path, offset, this.#promptReads));
  }

  async writer(path: string, { append }: { readonly append: boolean }): Promise<FileWriter> {
    const file = this.#fileOf(path);
    const directories = this.#directories;
    return changing(() =>
      directories.inside(dirname(file), "there", () => openWriter({ file, path }, append, directories)),
    );
  }

  async stat(path: string): Promise<FileInfo> {
    const file = this.#folderOf(path);
    const status = await finding(path, () => stat(file));
    const isDirectory = status.isDirectory();
    return { size: isDirectory ? 0 : status.size, isDirectory, modified: status.mtimeMs };
  }

  async list(path: string): Promise<string[]> {
    const folder = this.#folderOf(path);
    return finding(path, () => listNames(folder));
  }

  /** Which of them are folders; nothing else is told without a `stat` for each. */
  async listDetailed(path: string): Promise<ListedChild[]> {
    const folder = this.#folderOf(path);
    return finding(path, () => listChildren(folder));
  }

  async move(source: string, target: string, options?: PutOptions): Promise<void> {
    const from = this.#fileOf(source);
    const to = this.#fileOf(target);
    await changing(async () => {
      await this.#checkFile(from, source);
      const likely = dirname(to) === dirname(from) ? "there" : "missing";
      await this.#directories.inside(dirname(to), likely, () => renameFile(from, to, source));
      if (options?.durable !== false) await this.#directories.sync(dirname(to));
    });
  }

  async delete(path: string, options?: PutOptions): Promise<void> {
    const file = this.#fileOf(path);
    this.#directories.forget(file);
    await finding(path, () => remove(file));
    if (options?.durable !== false) await changing(() => this.#directories.sync(dirname(file)));
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  get #isLocal(): boolean {
    return this.stampOf !== undefined;
  }

  /** What is to be moved was written a moment ago. @throws {PathNotFound} */
  async #checkFile(file: string, path: string): Promise<void> {
    if (this.stampOf?.(path)?.isDirectory !== false) await checkFile(file, path);
  }

  #fileOf(path: string): string {
    checkPath(FILESYSTEM, path);
    return this.#prefix + path;
  }

  #folderOf(path: string): string {
    checkFolder(FILESYSTEM, path);
    return path === "/" ? this.location : this.#prefix + path;
  }
}

interface Replacing {
  readonly durable: boolean;
  /** On a file system of this machine. */
  readonly local: boolean;
}

/** The new bytes are on the disk before they take the name. */
async function replace(file: string, content: Uint8Array, how: Replacing): Promise<void> {
  const temporary = temporaryOf(file);
  try {
    await writeNew(temporary, content, how);
    await rename(temporary, file);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
}

/**
 * On the file systems of this machine durable writes are so at once, which is a trip through the pool less than a call that syncs.
 * Others may heed that flag or not, and macOS only empties a disk's own memory where it is told to sync.
 */
async function writeNew(file: string, content: Uint8Array, { durable, local }: Replacing): Promise<void> {
  const { O_WRONLY, O_CREAT, O_EXCL, O_DSYNC } = constants;
  const fd = await open(file, O_WRONLY | O_CREAT | O_EXCL | (durable && local ? O_DSYNC : 0), 0o666);
  try {
    for (let done = 0; done < content.length; ) done += (await write(fd, content, done)).bytesWritten;
    if (durable && (!local || content.length === 0)) await fsync(fd);
  } finally {
    if (local)
      closeSync(fd); // 1 µs, where a trip through the pool costs 20
    else await close(fd);
  }
}

/** A sibling, so that the rename stays within one file system; a long name is cut, as names end at 255 bytes. */
function temporaryOf(file: string): string {
  return join(dirname(file), `${basename(file).slice(0, 200)}.${randomUUID()}.tmp`);
}

async function renameFile(from: string, to: string, source: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (codeOf(error) === "ENOENT") await checkFile(from, source);
    throw error;
  }
}

async function checkFile(file: string, path: string): Promise<void> {
  const status = await finding(path, () => stat(file));
  if (status.isDirectory()) throw new PathNotFound(FILESYSTEM, path);
}

async function remove(file: string): Promise<void> {
  try {
    await unlink(file);
  } catch (error) {
    const code = codeOf(error);
    // What Linux and the BSDs say of a folder.
    if (code !== "EISDIR" && code !== "EPERM") throw error;
    await removeTree(file);
  }
}

async function removeTree(folder: string): Promise<void> {
  if (await removeFlat(folder)) return;
  for (let attempt = 1; ; attempt++) {
    try {
      return await rm(folder, { recursive: true, force: true });
    } catch (error) {
      const code = codeOf(error);
      if ((code !== "ENOTEMPTY" && code !== "EEXIST") || attempt === REMOVALS) throw error;
    }
  }
}

/**
 * What `rm` does in more and slower steps, for a folder with files alone: an upload's.
 * @returns whether it is gone
 */
async function removeFlat(folder: string): Promise<boolean> {
  try {
    const names = await readdir(folder);
    await Promise.allSettled(names.slice(0, FLAT).map((name) => unlink(join(folder, name))));
    await rmdir(folder);
    return true;
  } catch {
    return false; // why, the thorough way will say
  }
}

function reasonOf(error: unknown): string {
  const { errno, code } = error as NodeJS.ErrnoException;
  return errno === undefined ? String(error) : `${getSystemErrorMessage(errno)} (${code})`;
}
