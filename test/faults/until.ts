import { setTimeout as pause } from "node:timers/promises";

/** After this a condition counts as never met. ms */
const DEADLINE = 30_000;

/**
 * Looks again and again until `met` answers true: for what no event tells of, as figures of another process.
 * @param what a clause for the error: "the descriptors were closed"
 */
export async function until(what: string, met: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + DEADLINE;
  while (!(await met())) {
    if (performance.now() > end) throw new Error(`waited ${DEADLINE} ms and in vain until ${what}`);
    await pause(20);
  }
}
