import { existsSync, readdirSync, readFileSync } from "node:fs";

/** For a suite's `skip` option: false, or why the figures of a process cannot be read here. */
export const WITHOUT_FIGURES: string | false = existsSync("/proc/self/status") ? false : "only where /proc is";

/** Bytes resident now. */
export function residentOf(pid: number): number {
  return figureOf(pid, "VmRSS");
}

/** The most bytes that ever were resident. */
export function peakOf(pid: number): number {
  return figureOf(pid, "VmHWM");
}

export function descriptorsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** @see proc_pid_status(5) */
function figureOf(pid: number, name: "VmRSS" | "VmHWM"): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const kib = new RegExp(`^${name}:\\s*(\\d+) kB$`, "m").exec(status)?.[1];
  if (kib === undefined) throw new Error(`process ${pid} has no ${name}`);
  return Number(kib) * 1024;
}
