import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { within } from "../lib/deadline.ts";
import { type LineWriter, writeLines } from "./line-writer.ts";

/** Bytes of lines that may wait for the disk; lines beyond are lost, and that is told. */
const BACKLOG = 16 * 1024 * 1024;

/** Bytes a system call. */
const BATCH = 1024 * 1024;

/** How long disposal waits for the disk. ms */
const PATIENCE = 10_000;

export interface AuditLog extends LineWriter {
  /** Goes on in a new file where the one so far was moved away; until there can be one, in the one so far. */
  reopen(): void;
}

/**
 * Appends to a file, or to stdout where that is `-`. Lines are written in order beside the requests; disposal ends when
 * all are.
 *
 * @param complain told where lines could not be written; they are kept and tried again with the next, up to 16 MiB
 * @throws {Error} where the file cannot be opened
 */
export async function openAuditLog(path: string, complain: (problem: string) => void): Promise<AuditLog> {
  if (path === "-") return { ...writeLines(), reopen: () => undefined };
  return new AuditFile(path, await openFile(path), complain);
}

async function openFile(path: string): Promise<FileHandle> {
  await mkdir(dirname(path), { recursive: true });
  return await open(path, "a", 0o600);
}

class AuditFile implements AuditLog {
  readonly #path: string;
  readonly #complain: (problem: string) => void;
  #file: FileHandle;
  #lines: Buffer[] = [];
  #waiting = 0;
  #writing: Promise<void> | undefined;
  /** The path is to be opened again; tried with every batch until it can be. */
  #moved = false;
  /** So it was asked since it was last tried. */
  #asked = false;
  /** Said since then. */
  #stayed = false;
  #ended = false;
  /** Complained of, and not well since. */
  #ailing = false;

  constructor(path: string, file: FileHandle, complain: (problem: string) => void) {
    this.#path = path;
    this.#file = file;
    this.#complain = complain;
  }

  write(line: string): void {
    if (this.#ended) return;
    const bytes = Buffer.from(line);
    if (this.#waiting + bytes.length > BACKLOG) {
      this.#ail("lines of the audit log are lost: too many wait");
      return;
    }
    this.#lines.push(bytes);
    this.#waiting += bytes.length;
    this.#begin();
  }

  reopen(): void {
    this.#moved = true;
    this.#asked = true;
    this.#stayed = false;
    this.#begin();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true;
    try {
      await within(PATIENCE, this.#finish());
    } catch {
      this.#complain(`the last ${this.#waiting} bytes of the audit log could not be written`);
    }
  }

  async #finish(): Promise<void> {
    await this.#writing;
    await this.#writeAll();
    await this.#file.close();
    if (this.#waiting > 0) throw new Error("not everything is written");
  }

  #begin(): void {
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
      if (this.#asked || (this.#waiting > 0 && !this.#ailing)) this.#begin(); // came at the last moment
    });
  }

  /** Until nothing waits any more, or something goes wrong. */
  async #writeAll(): Promise<void> {
    try {
      while (this.#waiting > 0 || this.#asked) {
        if (this.#moved) await this.#change();
        await this.#writeSome();
      }
      this.#ailing = false;
    } catch (error) {
      this.#ail(`the audit log cannot be written: ${error instanceof Error ? error.message : error}`);
    }
  }

  async #change(): Promise<void> {
    this.#asked = false;
    const next = await this.#openNext();
    if (!next) return;
    this.#moved = this.#asked;
    const before = this.#file;
    this.#file = next;
    await before.close();
  }

  /** @returns undefined where the file so far has to do */
  async #openNext(): Promise<FileHandle | undefined> {
    try {
      return await openFile(this.#path);
    } catch (error) {
      const reason = error instanceof Error ? error.message : error;
      if (!this.#stayed) this.#complain(`the audit log goes on in the file that was moved away: ${reason}`);
      this.#stayed = true;
      return undefined;
    }
  }

  /** What is written is forgotten to the byte, so that a disk that was full for a while gets no half of a line twice. */
  async #writeSome(): Promise<void> {
    const [bytes] = this.#take();
    if (!bytes) return;
    const { bytesWritten } = await this.#file.write(bytes);
    this.#waiting -= bytesWritten;
    if (bytesWritten < bytes.length) this.#lines[0] = bytes.subarray(bytesWritten);
    else this.#lines.shift();
  }

  /** @returns the lines with the first ones joined */
  #take(): readonly Buffer[] {
    let [count, length] = [0, 0];
    while (count < this.#lines.length && length < BATCH) length += this.#lines[count++]?.length ?? 0;
    if (count > 1) this.#lines.splice(0, count, Buffer.concat(this.#lines.slice(0, count)));
    return this.#lines;
  }

  /** Once until it is well again. */
  #ail(problem: string): void {
    if (!this.#ailing) this.#complain(problem);
    this.#ailing = true;
  }
}
