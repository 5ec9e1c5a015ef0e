import { openSync, readSync } from "node:fs";

/** How a thread shares its core with others. */
export interface Schedule {
  /** How often it got the core. */
  readonly turns: number;
  /** How long it wanted the core before it got it. ms */
  readonly queued: number;
}

const SOURCE = "/proc/thread-self/schedstat";

/** Nanoseconds at work, nanoseconds in the queue, turns: three numbers of up to 20 digits. */
const numbers: Buffer = Buffer.alloc(64);

let source: number | undefined;

/**
 * What the system has counted for this thread. It takes 2 µs.
 * @returns undefined where the system does not count, or is no Linux
 */
export function scheduleOfThread(): Schedule | undefined {
  try {
    source ??= openSync(SOURCE, "r"); // which stays open: it is of this thread, as long as that runs
    const length = readSync(source, numbers, 0, numbers.length, 0);
    const [, queued, turns] = numbers.toString("latin1", 0, length).split(" ").map(Number);
    return turns && queued !== undefined ? { turns, queued: queued / 1e6 } : undefined;
  } catch {
    return undefined;
  }
}
