import { readSync } from "node:fs";
import { type ThreadCounts, threadCounts } from "../lib/thread-counts.ts";
import { TurnAllowance } from "../lib/turn-allowance.ts";
import { localDeviceOf } from "./local-device.ts";

/** What is in memory comes in less, 512 KiB at a time: 0.07 to 0.35. A disk that is as fast is read in the same way. ms */
const PROMPT = 0.5;

/** The same through the pool, where it waits for its turn twice, maybe behind others. ms */
const PROMPT_IN_POOL = 5;

/** Reads before others get their turn again: a third of a millisecond as a rule, two at most. */
const READS_A_TURN = 4;

/** Bytes of one read. */
const LONGEST = 512 * 1024;

/** ms without a wait that make up for one of waiting: 2 % of the time may be lost. */
const ATONEMENT = 50;

/** What may be owed before reads go through the pool: a stray wait is no slow disk. ms */
const PATIENCE = 5;

/** What time is told by. */
export interface Watch {
  /** ms */
  readonly now: () => number;
  readonly counts: () => ThreadCounts;
}

/**
 * Reads without a promise of files whose bytes are likely in memory. A trip through the pool wakes another thread and this one
 * again, and both have one core: a GiB in pieces of 512 KiB costs 266 ms of CPU like this and 324 through the pool (`node:http`
 * alone, least of 15; `npm run bench`, "pull a 256 MiB blob").
 *
 * Nobody tells beforehand whether bytes are in memory. So the first read of a file and any after a slow one go through the
 * pool; only after one that was prompt is the next made here. Where that had to wait all the same, it is put to an account that
 * forgets 2 % of the time; what is above 5 ms there has to be forgotten before the next. So a disk that takes longer than memory
 * may hold up requests for a fiftieth of the time, and one that hangs does it once. How long others had the core meanwhile does not count.
 */
export class PromptReads {
  /** Files elsewhere are not read here: what is mounted below the root may be a network's. */
  readonly device: number;
  readonly #watch: Watch;
  readonly #allowance = new TurnAllowance(READS_A_TURN);
  /** When all is forgotten that was lost, ms. */
  #atonedAt = Number.NEGATIVE_INFINITY;

  constructor(device: number, watch: Watch) {
    this.device = device;
    this.#watch = watch;
  }

  /** Of a file whose last read was prompt. */
  mayRead(length: number): boolean {
    return length <= LONGEST && this.isPatient && this.#allowance.take();
  }

  /** Whether little enough is owed. To be asked again where something else came between. */
  get isPatient(): boolean {
    return this.#watch.now() >= this.#atonedAt - ATONEMENT * PATIENCE;
  }

  /** @returns how many bytes, and whether the next may be read in the same way */
  read(fd: number, into: Uint8Array, position: number): { readonly count: number; readonly wasPrompt: boolean } {
    const { now, counts } = this.#watch;
    const [begun, before] = [now(), counts()];
    const count = readSync(fd, into, 0, into.length, position);
    const ended = now();
    const lost = ended - begun <= PROMPT ? 0 : timeLost(ended - begun, before, counts());
    const wasPrompt = lost <= PROMPT;
    if (!wasPrompt) this.#atonedAt = Math.max(this.#atonedAt, ended) + ATONEMENT * lost;
    return { count, wasPrompt };
  }

  /** Makes a read through the pool. */
  async watch<T>(read: () => Promise<T>): Promise<{ readonly result: T; readonly wasPrompt: boolean }> {
    const begun = this.#watch.now();
    const result = await read();
    return { result, wasPrompt: this.#watch.now() - begun <= PROMPT_IN_POOL };
  }
}

/** @returns undefined where the file system may be a network's, which can hang for minutes, or the system does not count */
export async function promptReadsBelow(root: string): Promise<PromptReads | undefined> {
  const device = await localDeviceOf(root);
  if (device === undefined || threadCounts() === undefined) return undefined;
  return new PromptReads(Number(device), WATCH);
}

/** Of a read that took `time`, ms. A thread that had its core all the time lost none; else its own work counts as lost, too. */
function timeLost(time: number, before: ThreadCounts, after: ThreadCounts): number {
  return after.turns === before.turns ? 0 : time - (after.queued - before.queued);
}

const NOT_COUNTED: ThreadCounts = { turns: 0, queued: 0 };

const WATCH: Watch = {
  now: () => performance.now(),
  counts: () => threadCounts() ?? NOT_COUNTED,
};
