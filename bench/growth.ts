/**
 * What it costs when there is more: of connections, tags, repositories, blobs, and of load: `npm run bench:growth`. The server
 * has one core, what loads it the other. A whole run writes docs/benchmarks-growth.md.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { requireDebian, setUp } from "../test/setup.ts";
import { temporaryFolder } from "../test/support/temporary-folder.ts";
import { measureBeside, PER_SECOND, Precedence } from "./growth/beside.ts";
import { measureConnections } from "./growth/connections.ts";
import { type Growing, KINDS, measureGrowth } from "./growth/sizes.ts";
import { LONGER, measureUnderLoad, SHARE } from "./growth/under-load.ts";
import { describeMachine, loadNow } from "./machine.ts";
import { pinLoad } from "./speed/pinned.ts";

const REPORT = join(import.meta.dirname, "..", "docs", "benchmarks-growth.md");

type Part = "connections" | (typeof KINDS)[number] | "load" | "beside";
const PARTS: readonly Part[] = ["connections", ...KINDS, "load", "beside"];

const HELP = `npm run bench:growth -- [options]

  --only PART     one of ${PARTS.join(", ")}; may be given several times
  --seconds N     seconds for which each read is repeated (4); ${LONGER} times as long under load and beside big blobs
`;

const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true, default: [] },
    seconds: { type: "string", default: "4" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) console.log(HELP);
else await measure();

async function measure(): Promise<void> {
  const parts = PARTS.filter((part) => values.only.length === 0 || values.only.includes(part));
  if (parts.length < values.only.length) throw new Error(`--only must be one of ${PARTS.join(", ")}`);
  await setUp();
  const [missing] = requireDebian("wrk", "ab", "curl", "docker-registry");
  if (missing !== undefined) throw new Error(`not measured: ${missing} is not installed`);
  await pinLoad();
  if (parts.includes("beside")) await (await Precedence.take())[Symbol.asyncDispose](); // or know at once that it is refused
  const before = loadNow();
  const tables: Partial<Record<Part, string>> = {};
  for (const part of parts) {
    await using folder = await temporaryFolder("growth");
    tables[part] = await measurePart(part, {
      folder,
      seconds: Number(values.seconds),
      say: (line) => console.log(line),
    });
    console.log(`\n${tables[part]}\n`);
  }
  if (parts.length === PARTS.length) await writeFile(REPORT, page(tables as Record<Part, string>, before));
}

function measurePart(part: Part, growing: Growing): Promise<string> {
  if (part === "connections") return measureConnections(growing);
  if (part === "load") return measureUnderLoad(growing);
  if (part === "beside") return measureBeside(growing);
  return measureGrowth(part, growing);
}

function page(tables: Readonly<Record<Part, string>>, before: string): string {
  return `# Figures of growth

Wharfinger alone, one run of \`npm run bench:growth\`: one core for the server, another for the load, durable defaults, the metrics
of the debug server on, no lines of requests. Absolute figures depend on the machine; how they grow does not.

${describeMachine(before)}

## Connections

As many requests at a time as there are connections, for ${values.seconds} s each: GET by \`wrk\`, HEAD by \`ab\`. The times are theirs.

${tables.connections}

## Tags, repositories, blobs

Written straight into a directory: tags of one manifest in one repository, without the history of each; repositories, a hundred in
a folder, all but one without anything in them; blobs of one repository, with their links. So the kernel has folders and inodes in its
memory. Rates are of 16 connections and ${values.seconds} s. "First" is the first request of a server just started, "again" the median of
the next, five at most, "event loop late" how long everybody else waited meanwhile at the worst. The pushes are the medians of five, one after the
other; of repositories each is into a new one, which has got its blob before. Listings over many read folders: an index of what
is there, which would answer them at once, is to come and is no part of this.

${tables.tags}

${tables.repositories}

${tables.blobs}

## Under load

Requests at a constant rate, ${SHARE * 100} % of the highest (64 connections, measured just before), over 64 connections for ${Number(values.seconds) * LONGER} s. They
are sent when they are due, not when an answer has come, and the time runs from when they were due, also for those that wait for a free
connection: what is slow is not left out. The bare server gives the same answers from memory with \`node:http\` at the same
rate; its figures are those of Node, of the load and of the machine. How late the event loop is, is told by the server's metrics
(\`nodejs_eventloop_lag_*\`), which look every 10 ms; these are subtracted.

${tables.load}

## Beside big blobs

${PER_SECOND} HEADs a second in the same way, over 16 connections for ${Number(values.seconds) * LONGER} s, while one other client pulls a blob of 1 GiB again and again
with \`curl\`, or pushes blobs of 256 MiB. That client has the same core as the HEADs' and yields it to them (they have \`SCHED_FIFO\`,
it \`nice -n 19\`), so it does not reach its highest rate. The bare server sends the GiB from memory in pieces of 256 KiB, once as
\`node:http\` comes and once with a turn of the event loop for others after each. What \`SCHED_FIFO\` is for is told in
[0024](decisions/0024-speed.md).

${tables.beside}
`;
}
