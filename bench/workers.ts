/**
 * What a second worker brings: `npm run bench:workers`. One and two workers in turns on the same directory. The load has the
 * same two cores, so beside the rates stand what a request costs the server's processes together, and how many cores they
 * used: where that is far below two with two workers, the load had the rest.
 */
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { requireDebian, setUp } from "../test/setup.ts";
import { type RegistryProcess, startRegistry } from "../test/support/registry-process.ts";
import { temporaryFolder } from "../test/support/temporary-folder.ts";
import { childrenOf } from "../test/support/worker-client.ts";
import { describeMachine, loadNow } from "./machine.ts";
import { type Content, seed } from "./speed/content.ts";
import { Figures } from "./speed/figures.ts";
import { measureRead, READS, type Read } from "./speed/reads.ts";
import { table } from "./tables.ts";

const WORKERS = [1, 2] as const;

/** From those that leave the load hardly anything to do to those that cost it as much as the server. */
const SHOWN = ["catalogue, n=100 of 100", "tags/list of 500", "GET blob of 64 KiB", "GET manifest by tag", "HEAD blob"];

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "3" },
    connections: { type: "string", default: "32" },
    out: { type: "string" },
  },
});
await measure();

async function measure(): Promise<void> {
  await setUp();
  const [missing] = requireDebian("wrk", "ab");
  if (missing !== undefined) throw new Error(`not measured: ${missing} is not installed`);
  const before = loadNow();
  await using folder = await temporaryFolder("bench-workers");
  const figures = new Figures();
  let content: Content | undefined;
  for (let round = 0; round < Number(values.rounds); round += 1) {
    for (const workers of WORKERS) {
      await using registry = await start(folder.path, workers);
      content ??= await seed(registry.url);
      for (const read of SHOWN.flatMap((what) => READS.filter((one) => one.what === what))) {
        await note(figures, registry, read, content, workers);
      }
    }
  }
  const text = `${report(figures)}\n\n${describeMachine(before)}`;
  console.log(text);
  if (values.out) await writeFile(values.out, `${text}\n`);
}

function start(rootDirectory: string, workers: number): Promise<RegistryProcess> {
  const configuration = {
    log: { level: "info", accesslog: { disabled: true } },
    storage: { cache: { blobdescriptor: "inmemory" } },
    wharfinger: { workers },
  };
  return startRegistry("wharfinger", { rootDirectory, configuration });
}

async function note(
  figures: Figures,
  { pid, url }: RegistryProcess,
  read: Read,
  content: Content,
  workers: number,
): Promise<void> {
  const seconds = Number(values.seconds);
  const loading = { connections: Number(values.connections), authorization: undefined };
  await measureRead(url, read, read.path(content), { ...loading, seconds: 1 });
  const begin = processorTime(pid);
  const { perSecond } = await measureRead(url, read, read.path(content), { ...loading, seconds });
  const cost = ((processorTime(pid) - begin) / (perSecond * seconds)) * 1e6;
  figures.add(`${read.what} rate`, String(workers), perSecond);
  figures.add(`${read.what} cost`, String(workers), cost);
  console.log(`${read.what}: ${workers} workers, ${Math.round(perSecond)}/s, ${cost.toFixed(1)} µs a request`);
}

/** Of a process and those that it started. s */
function processorTime(pid: number): number {
  return [pid, ...childrenOf(pid)].reduce((sum, one) => {
    const fields = readFileSync(`/proc/${one}/stat`, "latin1").split(") ")[1]?.split(" ") ?? [];
    return sum + (Number(fields[11]) + Number(fields[12])) / 100; // ticks of user and system
  }, 0);
}

function report(figures: Figures): string {
  const lines = SHOWN.map((what) => {
    const rates = WORKERS.map((workers) => figures.of(`${what} rate`, String(workers)) ?? 0);
    const costs = WORKERS.map((workers) => figures.of(`${what} cost`, String(workers)) ?? 0);
    const cores = rates.map((rate, index) => usedCores(rate, costs[index]));
    return [
      what,
      ...rates.map((rate) => rate.toFixed(0)),
      ratio(rates),
      ...costs.map((cost) => cost.toFixed(0)),
      ...cores,
    ];
  });
  const ofEach = ["/s", "µs a request", "cores"].map((unit) => WORKERS.map((workers) => `${workers} of them, ${unit}`));
  const [rates = [], costs = [], cores = []] = ofEach;
  return table(["workers", ...rates, "times", ...costs, ...cores], lines);
}

/** @param cost µs of processor time a request */
function usedCores(rate = 0, cost = 0): string {
  return ((rate * cost) / 1e6).toFixed(2);
}

function ratio([one = 1, two = 0]: readonly number[]): string {
  return (two / one).toFixed(2);
}
