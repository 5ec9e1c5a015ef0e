/**
 * How fast it is, against Debian's docker-registry on the same disk in one run: `npm run bench`. The server has one core, what
 * loads it the other; rounds alternate, figures are medians. A whole run writes its table to docs/benchmarks.md.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { requireDebian, setUp } from "../test/setup.ts";
import { run } from "../test/support/run.ts";
import { temporaryFolder } from "../test/support/temporary-folder.ts";
import { describeMachine, loadNow } from "./machine.ts";
import { REPOSITORY } from "./speed/content.ts";
import { Contest, ROWS, WARM_UP } from "./speed/contest.ts";
import { makeCredentials } from "./speed/credentials.ts";
import { Figures } from "./speed/figures.ts";
import { pinLoad } from "./speed/pinned.ts";
import { report } from "./speed/report.ts";
import { checkOut } from "./speed/revision.ts";
import { debian, ours, type Subject } from "./speed/subject.ts";
import { BigFile } from "./speed/writes.ts";

const ROOT = join(import.meta.dirname, "..");
const REPORT = join(ROOT, "docs", "benchmarks.md");
const HELP = `npm run bench -- [options]

  --url NAME=URL    also measure the registry that runs there, which lets everybody in; may be given several times
  --base REV        measure this revision of the repository instead of docker-registry
  --only TEXT       only rows whose names hold this text; may be given several times
  --rounds N        rounds, of which the medians are taken (3)
  --seconds N       seconds for which each read is repeated (3)
  --connections N   connections of reads (16)
`;

const { values } = parseArgs({
  options: {
    url: { type: "string", multiple: true, default: [] },
    base: { type: "string" },
    only: { type: "string", multiple: true, default: [] },
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "3" },
    connections: { type: "string", default: "16" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) console.log(HELP);
else await measure();

async function measure(): Promise<void> {
  await setUp();
  const [missing] = requireDebian("docker-registry", "wrk", "ab", "htpasswd", "curl");
  if (missing !== undefined) throw new Error(`not measured: ${missing} is not installed`);
  await pinLoad();
  const before = loadNow();
  await using folder = await temporaryFolder("bench");
  const subjects = await findSubjects(folder.path);
  const figures = new Figures();
  await using contest = await Contest.open({
    subjects,
    folder,
    figures,
    credentials: await makeCredentials(folder, REPOSITORY),
    file: await BigFile.make(folder.join("big")),
    seconds: Number(values.seconds),
    connections: Number(values.connections),
    includes: (row) => values.only.length === 0 || values.only.some((text) => row.includes(text)),
    say: (line) => console.log(line),
  });
  for (let round = 0; round < Number(values.rounds); round++) await contest.round(round);
  contest.readMemory();
  const names = subjects.map(({ name }) => name);
  const table = report(ROWS, figures, names);
  console.log(`\n${table}\n\n${describeMachine(before)}`);
  if (isWhole()) await writeFile(REPORT, await page(table, before));
}

async function findSubjects(folder: string): Promise<readonly Subject[]> {
  const base = values.base;
  const other =
    base === undefined
      ? debian(join(folder, "theirs"))
      : ours(base, join(folder, "base"), await checkOut(ROOT, base, join(folder, "tree")));
  return [ours("wharfinger", join(folder, "ours")), other, ...values.url.map(parseNamed)];
}

/** @throws {Error} */
function parseNamed(text: string): Subject {
  const [, name, url] = /^([^=]+)=(https?:\/\/.+)$/.exec(text) ?? [];
  if (name === undefined || url === undefined) throw new Error(`--url must be NAME=URL, not ${text}`);
  return { name, url: url.replace(/\/+$/, "") };
}

function isWhole(): boolean {
  return values.base === undefined && values.only.length === 0 && values.url.length === 0;
}

async function page(table: string, before: string): Promise<string> {
  const peer = (await run("docker-registry", ["--version"])).trim().split(" ").at(-1);
  return `# Figures

Wharfinger against Debian's docker-registry ${peer} with its in-memory cache, on the same disk, in one run of \`npm run bench\`: one
core for the server, another for the load; medians of ${values.rounds} rounds in turns; ${values.connections} connections, ${values.seconds} s a read,
after ${WARM_UP} s that do not count. Both with their
durable defaults, without lines of requests where nothing else is said. The ceiling of reads is a bare \`node:http\` server that sends
the same bytes from memory; that of a push is the slower of SHA-256 on one core and \`dd\` with fdatasync. Beside them, "a bare server" is some lines of
\`node:http\` on the same core that do what a registry cannot leave out: receive, hash and write durably; read a file and send it. The ceiling
of small images is a program that makes the same folders, files and names in the same layout, as durable, and is asked nothing. That of
the memory is the bare server after the same reads, pulls and big pushes; of its own it has some lines and the answers.
A pull is the median of five in a row.
2.5 times docker-registry's memory is out of reach: the bare server alone has more.
Ratios count, absolute figures depend on the machine. Ours was started once before, so that nothing is left to compile; its first start
is a row of its own. Of the CPU time of a small read, 31 % is the kernel's, mostly for sending the answer; our JavaScript has 8 %, Node's 9, the
collector 3, and the rest is what V8 and Node do for both (\`perf record\`, manifest by tag with a bearer token). What was found
and what did not pay is told in [0024](decisions/0024-speed.md); workers in
[0025](decisions/0025-workers.md); many clients, tags and repositories are measured by
\`npm run bench:growth\` ([benchmarks-growth.md](benchmarks-growth.md)).

${describeMachine(before)}

${table}
`;
}
