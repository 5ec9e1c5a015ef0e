import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { pid } from "node:process";
import { promisify } from "node:util";
import { environment } from "../config/process.ts";

/** As libuv names the threads where files are read and written. */
const POOL = "libuv-worker";

/** The pool has threads from its first use on, and no start should be the longer for this. ms */
const DELAY = 1000;

/** For each call of `chrt`. ms */
const PATIENCE = 10_000;

/** The policy that a program has unless somebody says otherwise; then it stays what that one wants. @see sched(7) */
const SCHED_OTHER = "0";

interface Thread {
  readonly id: string;
  readonly name: string;
  readonly policy: string | undefined;
}

/**
 * Has the threads of libuv's pool wait until the one that answers has nothing to do, where both want the same core, instead of
 * interrupting it for every file: more of what comes in and of what was written is then done in one go. "push small images"
 * of `npm run bench` make 81 a second instead of 63, and 40 instead of 38 where another program wants the core as well. With a core
 * for each nothing changes.
 *
 * All this takes is their policy, `SCHED_BATCH`, which a program of the system has to set (`chrt`): Node has no call for it. Where
 * there is none, or it may not, all goes on as before.
 *
 * @param onFailure told why it was not done
 * @returns what takes it back as long as it is not done
 * @see sched(7)
 */
export function calmPool(onFailure: (error: unknown) => void): Disposable {
  const end = new AbortController();
  const timer = setTimeout(() => void calm(end.signal).catch(onFailure), DELAY).unref();
  return {
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      end.abort();
    },
  };
}

async function calm(signal: AbortSignal): Promise<void> {
  const threads = await threadsOfProcess();
  if (threads.some(({ policy }) => policy !== SCHED_OTHER)) return;
  const env = { PATH: environment()["PATH"] };
  const chrt = (...args: string[]) => promisify(execFile)("chrt", args, { signal, env, timeout: PATIENCE });
  try {
    await chrt("-a", "-b", "-p", "0", String(pid)); // all of them: a registry has a hundred
  } catch {
    for (const { id, name } of threads) if (name === POOL) await chrt("-b", "-p", "0", id); // busybox knows no other way
  } finally {
    await chrt("-o", "-p", "0", String(pid)); // the one that answers
  }
}

/** @see proc_pid_stat(5): the name is in brackets, and the policy field 41 */
async function threadsOfProcess(): Promise<readonly Thread[]> {
  const ids = await readdir("/proc/self/task");
  const stats = await Promise.all(ids.map((id) => readFile(`/proc/self/task/${id}/stat`, "utf8")));
  return stats.map((stat, index) => {
    const end = stat.lastIndexOf(")");
    const name = stat.slice(stat.indexOf("(") + 1, end);
    return { id: ids[index] ?? "", name, policy: stat.slice(end + 2).split(" ")[38] };
  });
}
