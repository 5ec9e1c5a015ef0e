import { constants, fstatSync, ftruncateSync, type Stats, statSync } from "node:fs";
import { dirname } from "node:path";
import { withRoom } from "../lib/growing-buffer.ts";
import type { FileWriter, PutOptions } from "./driver.ts";
import type { Directories } from "./durable.ts";
import { WriteConflict } from "./errors.ts";
import { changing, close, codeOf, FILESYSTEM, fsync, open, toStorageError, unlink, write } from "./filesystem-calls.ts";
import { WriterState } from "./writer-state.ts";

/**
 * Bytes that are gathered before they go to the file. Memory for all of them at once would be 256 KiB for a layer of 4: 95 small
 * images a second instead of 107, because the collector runs more often ("push small images" of `npm run bench`).
 */
const BLOCK = 256 * 1024;

/** Bytes of one system call at most, so that a huge chunk does not hold a thread of the pool for long. */
const LONGEST = 32 * BLOCK;

export interface WriterTarget {
  /** In the file system. */
  readonly file: string;
  /** The driver's, for errors. */
  readonly path: string;
}

/** Its folder must be there. */
export async function openWriter(
  target: WriterTarget,
  append: boolean,
  directories: Directories,
): Promise<FilesystemWriter> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | (append ? 0 : constants.O_TRUNC);
  const fd = await open(target.file, flags, 0o666);
  try {
    return new FilesystemWriter(target, fd, fstatSync(fd).size, directories);
  } catch (error) {
    await close(fd);
    throw error;
  }
}

/**
 * Appends to a file in place, so that any process can go on with it. Calls run one after the other.
 *
 * Before bytes reach the file it is checked that it is still the one at the path and has the size this writer left it with;
 * two system calls, 2.5 µs beside the 50 that a block takes. So a writer that comes too late, in whatever process, does not
 * append to a blob that was renamed into place. Between check and write lies a gap; what slips through it is taken back where the
 * file was moved meanwhile, and else found by the next check of both, at the latest that of close or commit.
 */
export class FilesystemWriter implements FileWriter {
  readonly #target: WriterTarget;
  readonly #directories: Directories;
  readonly #write: typeof write;
  readonly #state: WriterState = new WriterState(FILESYSTEM);
  /** Whether the file's name may not be durable yet. */
  readonly #isNew: boolean;
  #fd: number | undefined;
  /** Bytes in the file. */
  #stored: number;
  #block: Buffer | undefined;
  /** Bytes in the block. */
  #gathered = 0;
  #failure: Error | undefined;
  #settled: Promise<void> | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  /**
   * Takes over `fd`.
   * @param stored bytes in the file
   */
  constructor(target: WriterTarget, fd: number, stored: number, directories: Directories, call: typeof write = write) {
    this.#write = call;
    this.#target = target;
    this.#fd = fd;
    this.#directories = directories;
    this.#stored = stored;
    this.#isNew = stored === 0;
  }

  get size(): number {
    return this.#stored + this.#gathered;
  }

  get settled(): Promise<void> | undefined {
    return this.#settled;
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.#inTurn(async () => {
      this.#checkUsable();
      await this.#orFail((fd) => this.#gather(fd, chunk));
    });
  }

  /** After a failed write it keeps what had reached the file; {@link size} tells how much. */
  close({ durable = true }: PutOptions = {}): Promise<void> {
    return this.#inTurn(() => (durable ? this.#close() : this.#closeSoon()));
  }

  commit(): Promise<void> {
    return this.#inTurn(async () => {
      this.#checkUsable();
      await this.#orFail((fd) => this.#settle(fd, true));
      this.#state.commit();
      await this.#release();
    });
  }

  cancel(): Promise<void> {
    return this.#inTurn(async () => {
      this.#state.cancel();
      await this.#release();
      await this.#remove();
    });
  }

  /** Says nothing of what failed before, nor of another writer that went on meanwhile. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#failure) return this.#release().catch(() => undefined);
      if (this.#state.isOpen) return this.#close().catch(throwUnlessConflict);
    });
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  #checkUsable(): void {
    this.#state.checkOpen();
    if (this.#failure) throw this.#failure;
  }

  async #close(): Promise<void> {
    this.#state.close();
    try {
      if (!(this.#failure instanceof WriteConflict)) await this.#orFail((fd) => this.#settle(fd, this.#isNew));
    } finally {
      await this.#release();
    }
  }

  /** The bytes are the system's by now, which keeps them when this process ends; the disk gets them meanwhile. */
  async #closeSoon(): Promise<void> {
    this.#state.close();
    try {
      if (!(this.#failure instanceof WriteConflict)) await this.#orFail((fd) => this.#handOver(fd));
    } finally {
      await this.#release();
    }
  }

  async #handOver(fd: number): Promise<void> {
    await this.#flush(fd);
    this.#checkOurs(fd);
    this.#fd = undefined;
    this.#settled = changing(() => syncAndClose(fd));
    this.#settled.catch(() => undefined); // whoever needs them durable waits for it
  }

  /** Runs `work` on the descriptor, if it is still open. */
  async #orFail(work: (fd: number) => Promise<void>): Promise<void> {
    const fd = this.#fd;
    if (fd === undefined) return;
    try {
      await work(fd);
    } catch (error) {
      this.#failure = toStorageError(error);
      this.#gathered = 0;
      if (!(error instanceof WriteConflict)) this.#stored = fstatSync(fd).size;
      throw this.#failure;
    }
  }

  async #gather(fd: number, chunk: Uint8Array): Promise<void> {
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#gathered === 0 && rest.length >= BLOCK) {
        const whole = rest.length - (rest.length % BLOCK);
        await this.#store(fd, rest.subarray(0, whole));
        rest = rest.subarray(whole);
      } else {
        rest = this.#fill(rest);
        if (this.#gathered === BLOCK) await this.#flush(fd);
      }
    }
  }

  /** @returns what found no room in the block */
  #fill(chunk: Uint8Array): Uint8Array {
    const fitting = chunk.subarray(0, BLOCK - this.#gathered);
    this.#block = withRoom(this.#block, this.#gathered, this.#gathered + fitting.length, BLOCK);
    this.#block.set(fitting, this.#gathered);
    this.#gathered += fitting.length;
    return chunk.subarray(fitting.length);
  }

  async #flush(fd: number): Promise<void> {
    const length = this.#gathered;
    if (!this.#block || length === 0) return;
    const before = this.#stored;
    await this.#store(fd, this.#block.subarray(0, length), () => {
      this.#gathered = length - (this.#stored - before);
    });
  }

  async #store(fd: number, bytes: Uint8Array, progress?: () => void): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      this.#checkOurs(fd);
      const { bytesWritten } = await this.#write(fd, bytes, done, Math.min(bytes.length - done, LONGEST), null);
      this.#takeBackIfMoved(fd, bytesWritten);
      done += bytesWritten;
      this.#stored += bytesWritten;
      progress?.();
    }
  }

  /** What was moved away between check and write may be a blob by now, which must not have one byte more than it had. */
  #takeBackIfMoved(fd: number, written: number): void {
    const open = fstatSync(fd);
    if (isSame(open, statusAt(this.#target.file))) return;
    ftruncateSync(fd, open.size - written);
    throw new WriteConflict(FILESYSTEM, this.#target.path);
  }

  async #settle(fd: number, withName: boolean): Promise<void> {
    await this.#flush(fd);
    await fsync(fd);
    this.#checkOurs(fd);
    if (withName) await this.#directories.sync(dirname(this.#target.file));
  }

  #checkOurs(fd: number): void {
    const open = fstatSync(fd);
    if (!isSame(open, statusAt(this.#target.file)) || open.size !== this.#stored)
      throw new WriteConflict(FILESYSTEM, this.#target.path);
  }

  async #release(): Promise<void> {
    const fd = this.#fd;
    this.#fd = undefined;
    this.#block = undefined;
    if (fd !== undefined) await changing(() => close(fd));
  }

  async #remove(): Promise<void> {
    try {
      await unlink(this.#target.file);
    } catch (error) {
      if (codeOf(error) !== "ENOENT") throw toStorageError(error);
    }
  }
}

async function syncAndClose(fd: number): Promise<void> {
  try {
    await fsync(fd);
  } finally {
    await close(fd);
  }
}

function isSame(open: Stats, named: Stats | undefined): boolean {
  return named !== undefined && named.ino === open.ino && named.dev === open.dev;
}

function throwUnlessConflict(error: unknown): void {
  if (!(error instanceof WriteConflict)) throw error;
}

function statusAt(file: string): Stats | undefined {
  try {
    return statSync(file, { throwIfNoEntry: false });
  } catch (error) {
    if (codeOf(error) === "ENOTDIR") return undefined;
    throw error;
  }
}
