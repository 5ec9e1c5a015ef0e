import { readSync } from "node:fs";
import { TurnAllowance } from "../lib/turn-allowance.ts";
import { localDeviceOf } from "./local-device.ts";

/** What is in memory comes in less, 512 KiB at a time; a disk takes longer. ms */
const PROMPT = 0.25;

/** The same through the pool, where it waits for its turn twice. ms */
const PROMPT_IN_POOL = 1;

/** Reads before others get their turn again: a quarter of a millisecond. */
const READS_A_TURN = 4;

/** Bytes of one read. */
const LONGEST = 512 * 1024;

/** For so many times as long as a read held everybody up there is no other: 2 % of the time is lost at most. */
const ATONEMENT = 50;

/**
 * Reads without a promise of files whose bytes are likely in memory. A trip through the pool wakes another thread and this one
 * again, and both have one core: with pieces of 512 KiB a GiB costs 564 ms of CPU here and 607 there, bare 266 and 324 (least of
 * 15 times; `npm run bench`, "pull a 256 MiB blob").
 *
 * Nobody tells whether bytes are in memory, so time does. The first read of a file and any after a slow one go through the
 * pool; only after one that was prompt is the next made here. Where that is slow all the same, nothing is read here for fifty
 * times as long. So a disk may hold up requests for a fiftieth of the time; and one that hangs, once.
 */
export class PromptReads {
  /** Files elsewhere are not read here: what is mounted below the root may be a network's. */
  readonly device: number;
  readonly #now: () => number;
  readonly #allowance = new TurnAllowance(READS_A_TURN);
  #notBefore = Number.NEGATIVE_INFINITY;

  /** @param now ms */
  constructor(device: number, now: () => number = () => performance.now()) {
    this.device = device;
    this.#now = now;
  }

  /** Of a file whose last read was prompt. */
  mayRead(length: number): boolean {
    return length <= LONGEST && this.#now() >= this.#notBefore && this.#allowance.take();
  }

  /** @returns how many bytes, and whether the next may be read in the same way */
  read(fd: number, into: Uint8Array, position: number): { readonly count: number; readonly wasPrompt: boolean } {
    const begun = this.#now();
    const count = readSync(fd, into, 0, into.length, position);
    const ended = this.#now();
    const wasPrompt = ended - begun <= PROMPT;
    if (!wasPrompt) this.#notBefore = ended + ATONEMENT * (ended - begun);
    return { count, wasPrompt };
  }

  /** Makes a read through the pool. */
  async watch<T>(read: () => Promise<T>): Promise<{ readonly result: T; readonly wasPrompt: boolean }> {
    const begun = this.#now();
    const result = await read();
    return { result, wasPrompt: this.#now() - begun <= PROMPT_IN_POOL };
  }
}

/** @returns undefined where the file system may be a network's, which can hang for minutes */
export async function promptReadsBelow(root: string): Promise<PromptReads | undefined> {
  const device = await localDeviceOf(root);
  return device === undefined ? undefined : new PromptReads(Number(device));
}
