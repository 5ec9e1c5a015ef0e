import { readdir, readFile } from "node:fs/promises";
import { pid } from "node:process";
import { promisify } from "node:util";

/** As libuv names the threads where files are read and written. */
const NAME = "libuv-worker";

/** So that a start is not the longer for it. ms */
const DELAY = 1000;

/** For all of them together. ms */
const PATIENCE = 10_000;

/**
 * `$1` is the process and its thread that answers. In two steps for the hundred threads that a registry has, where `chrt` is the one of
 * util-linux; busybox has one as well, for a thread at a time.
 */
const SCRIPT = `
chrt -a -b -p 0 "$1" && exec chrt -o -p 0 "$1"
shift
for thread do chrt -b -p 0 "$thread" || exit; done`;

/**
 * Has the threads of libuv's pool wait until the one that answers has nothing to do, where both want the same core, instead of
 * interrupting it for every file: of what comes in and what was written more is then done in one go. "push small images" of
 * `npm run bench` make 81 a second instead of 63, and 40 instead of 38 where another program wants the core as well. With a core for each of them
 * nothing changes.
 *
 * It takes nothing but their policy, which a program of the system has to set: Node has no call for it. Where there is none, or it
 * may not, all goes on as before.
 *
 * @returns what keeps it from being done later, where it was not yet
 * @see sched(7), SCHED_BATCH
 */
export function calmPool(onFailure: (error: unknown) => void): Disposable {
  const timer = setTimeout(() => void calm().catch(onFailure), DELAY).unref();
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}

async function calm(): Promise<void> {
  const threads = await poolThreads();
  const { execFile } = await import("node:child_process");
  await promisify(execFile)("sh", ["-c", SCRIPT, "sh", String(pid), ...threads], { timeout: PATIENCE });
}

async function poolThreads(): Promise<string[]> {
  const threads = await readdir("/proc/self/task");
  const names = await Promise.all(threads.map((thread) => readFile(`/proc/self/task/${thread}/comm`, "utf8")));
  return threads.filter((_, index) => names[index]?.trim() === NAME);
}
