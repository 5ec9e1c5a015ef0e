import { cpus, loadavg, totalmem } from "node:os";

/** Processes that ran or waited to, of the last minute on average. */
export function loadNow(): string {
  return (loadavg()[0] ?? 0).toFixed(1);
}

/** @param before the load when the run began */
export function describeMachine(before: string): string {
  const memory = Math.round(totalmem() / 2 ** 30);
  return [
    `${new Date().toISOString().slice(0, 10)}, ${cpus()[0]?.model.trim() ?? "an unknown processor"}`,
    `${cpus().length} cores, ${memory} GiB of memory, Node ${process.versions.node}`,
    `load ${before} at the start and ${loadNow()} at the end.`,
  ].join(", ");
}
