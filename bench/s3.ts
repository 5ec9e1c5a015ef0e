/**
 * What S3 is asked for, and what time and memory it takes, against Debian's docker-registry on the same server of S3 in one run:
 * `npm run bench:s3`. Prints its tables and writes them to docs/benchmarks-s3.md. The server is built with Go.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { requireDebian } from "../test/setup.ts";
import { run } from "../test/support/run.ts";
import { installGateway, startGateway } from "../test/support/versitygw.ts";
import { describeMachine, loadNow } from "./machine.ts";
import { byFigure, KINDS } from "./peers.ts";
import { measureBurst, measureSpeed } from "./s3-load.ts";
import { countRequests, SCENARIOS } from "./s3-requests.ts";
import { comparison, mebibytes, operations, seconds } from "./tables.ts";

const REPORT = join(import.meta.dirname, "..", "docs", "benchmarks-s3.md");

const missing = (await installGateway()) ?? requireDebian("docker-registry")[0];
if (missing !== undefined) throw new Error(`not measured: ${missing}`);
const before = loadNow();
await using gateway = await startGateway();

console.log("counting requests");
const counts = await byFigure((kind) => countRequests(kind, gateway.port));
console.log("pushing and pulling");
const speed = await measureSpeed(gateway.port);
console.log("pushing many at once");
const burst = await byFigure((kind) => measureBurst(kind, gateway.port));

const peer = (await run("docker-registry", ["--version"])).trim().split(" ").at(-1);
const text = `# Figures over S3

Wharfinger against Debian's docker-registry ${peer} on the same server of S3 (versitygw on this machine's disk), one run of
\`npm run bench:s3\`. Times are medians and depend on the machine; counts do not. Bytes come from the registry: redirects are off.

${describeMachine(before)}

## Requests to S3, and bytes

${comparison(
  SCENARIOS.flatMap((scenario) => [
    { what: `${scenario}: requests`, figures: byKind((kind) => counts[kind][scenario].requests) },
    { what: `${scenario}: bytes to S3`, figures: byKind((kind) => counts[kind][scenario].sent) },
    { what: `${scenario}: bytes from S3`, figures: byKind((kind) => counts[kind][scenario].received) },
  ]),
)}

${SCENARIOS.map((scenario) => operations(scenario, counts[KINDS[0]][scenario], counts[KINDS[1]][scenario])).join("\n\n")}

## Time and memory

${comparison([
  { what: "256 MiB pushed, s", figures: byKind((kind) => speed[kind].push), print: seconds },
  { what: "256 MiB pulled, s", figures: byKind((kind) => speed[kind].pull), print: seconds },
  { what: "32 pushes of 100 MiB at once, s", figures: byKind((kind) => burst[kind].seconds), print: seconds },
  { what: "most memory in them, MiB", figures: byKind((kind) => burst[kind].memory), print: mebibytes },
])}
`;

console.log(`\n${text}`);
await writeFile(REPORT, text);

function byKind<T>(figure: (kind: (typeof KINDS)[number]) => T): readonly [ours: T, theirs: T] {
  return [figure(KINDS[0]), figure(KINDS[1])];
}
