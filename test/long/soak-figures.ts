import assert from "node:assert/strict";
import { readdirSync, readlinkSync } from "node:fs";
import { MIB } from "../faults/form.ts";
import { descriptorsOf, residentOf } from "../faults/process-figures.ts";
import { until } from "../faults/until.ts";

/** Of a process at rest. */
export interface Figures {
  /** Bytes in use on the main thread, on its heap and outside, after its garbage was collected. */
  readonly used: number;
  /** Bytes resident. */
  readonly resident: number;
  readonly descriptors: number;
  readonly sockets: number;
  readonly threads: number;
}

/** To be loaded by a process that is measured: it collects its garbage at SIGUSR2. */
export const COLLECTING: string = `--import=data:text/javascript,${encodeURIComponent(`
  import { setFlagsFromString } from "node:v8";
  import { runInNewContext } from "node:vm";
  import { isMainThread } from "node:worker_threads";
  if (isMainThread) {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc");
    process.on("SIGUSR2", () => collect());
  }`)}`;

const COLLECTIONS = 3;

/**
 * Waits until the process has no more sockets than `quiet`, and reads its figures.
 * @param metrics URL of its metrics
 */
export async function figuresAtRest(
  pid: number,
  metrics: string,
  quiet: number = Number.POSITIVE_INFINITY,
): Promise<Figures> {
  let used = Number.POSITIVE_INFINITY;
  for (let count = 0; count < COLLECTIONS; count += 1) {
    process.kill(pid, "SIGUSR2");
    used = Math.min(used, await usedOf(metrics));
  }
  await until(`there are ${quiet} sockets again`, () => socketsOf(pid) <= quiet);
  return {
    used,
    resident: residentOf(pid),
    descriptors: descriptorsOf(pid),
    sockets: socketsOf(pid),
    threads: readdirSync(`/proc/${pid}/task`).length,
  };
}

/**
 * Fails where something grew from the first half of what was measured to the second. What counts of a half is its least
 * figure: a leak raises that as well, and nothing else that comes and goes does.
 * @param figures one a round, without those of the warm-up
 */
export function expectFlat(figures: readonly Figures[]): void {
  const middle = Math.floor(figures.length / 2);
  for (const [name, most] of Object.entries(GROWTH) as [keyof Figures, number][]) {
    const least = (part: readonly Figures[]): number => Math.min(...part.map((one) => one[name]));
    const growth = least(figures.slice(middle)) - least(figures.slice(0, middle));
    assert.ok(growth <= most, `${name} grew by ${growth}: ${figures.map((one) => one[name]).join(", ")}`);
  }
}

/**
 * Some 15,000 requests lie between the middles of both halves: 100 bytes that each leaves are seen. A connection or two may be
 * about to close; a leak would be hundreds.
 */
const GROWTH: Figures = { used: MIB, resident: 24 * MIB, descriptors: 3, sockets: 3, threads: 0 };

export function printed({ used, resident, descriptors, sockets, threads }: Figures): string {
  const [inUse, inMemory] = [used, resident].map((bytes) => (bytes / MIB).toFixed(1));
  return `${inUse} MiB used, ${inMemory} MiB resident, ${descriptors} descriptors, ${sockets} sockets, ${threads} threads`;
}

/** On a connection that ends with the answer. */
async function usedOf(metrics: string): Promise<number> {
  const text = await (await fetch(metrics, { headers: { Connection: "close" } })).text();
  const figure = (name: string): number => Number(new RegExp(`^${name} (.+)$`, "m").exec(text)?.[1]);
  return figure("nodejs_heap_size_used_bytes") + figure("nodejs_external_memory_bytes");
}

function socketsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).filter((fd) => isSocket(`/proc/${pid}/fd/${fd}`)).length;
}

/** What was closed meanwhile is none. */
function isSocket(path: string): boolean {
  try {
    return readlinkSync(path).startsWith("socket:");
  } catch {
    return false;
  }
}
