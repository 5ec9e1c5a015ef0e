import { openSync, readSync } from "node:fs";

/** What the system has counted for a thread since it began. */
export interface ThreadCounts {
  /** How often it got a core: after it had waited for something, or after others had it. */
  readonly turns: number;
  /** How long it could have gone on, and others had the core. ms */
  readonly queued: number;
}

const SOURCE = "/proc/thread-self/schedstat";

/** Nanoseconds at work, which lag behind while it works; nanoseconds in the queue; turns. */
const line: Buffer = Buffer.alloc(64);

/** Stays open: it is of this thread, as long as that runs. */
let fd: number | undefined;

/**
 * Of this thread. It takes 2 µs.
 * @returns undefined where the system does not count, or is no Linux
 */
export function threadCounts(): ThreadCounts | undefined {
  try {
    fd ??= openSync(SOURCE, "r");
    const length = readSync(fd, line, 0, line.length, 0);
    const [, queued, turns] = line.toString("latin1", 0, length).split(" ").map(Number);
    return turns && queued !== undefined ? { turns, queued: queued / 1e6 } : undefined;
  } catch {
    return undefined;
  }
}
