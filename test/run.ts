/**
 * Runs the tests: `run.ts [--long] [pattern …]`.
 *
 * Without patterns all of them, with the coverage of lines. In the long form, what tests say of their progress is printed at once. The last line printed is `N passed, N failed, N skipped`.
 */
import { globSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { run } from "node:test";
import { parseArgs } from "node:util";
import { readCoverage } from "./coverage.ts";
import { coverageTable } from "./report/coverage-table.ts";
import { TestReport } from "./report/test-report.ts";
import { setUp } from "./setup.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

const ROOT = join(import.meta.dirname, "..");
const EVERYTHING = ["src/**/*.test.ts", "test/**/*.test.ts"];
const ONLY_LONG = "test/long/**";
/** What `npm run test:backends` runs. */
const BACKENDS = "test/backends/**";
const CONCURRENCY = Math.max(2, availableParallelism());
/** Percent of the lines that must be covered. */
const LEAST_COVERAGE = 90;
/** Milliseconds without a word from any test after which the tests count as hanging. */
const HANGING = { short: 5 * 60_000, long: 60 * 60_000 };

const { values, positionals: patterns } = parseArgs({
  options: { long: { type: "boolean", default: false } },
  allowPositionals: true,
});
const isWhole = patterns.length === 0;

process.chdir(ROOT);
await setUp();
await using folder = await temporaryFolder("coverage");
const report = await runTests();
const isCovered = !isWhole || (await reportCoverage());
for (const line of report.closing()) console.log(line);
if (!report.succeeded || !isCovered) process.exitCode = 1;

async function runTests(): Promise<TestReport> {
  const tests = new TestReport(console.log);
  const abort = new AbortController();
  const watch = setTimeout(() => abort.abort(), values.long ? HANGING.long : HANGING.short);
  for await (const event of run({
    files: testFiles(),
    concurrency: CONCURRENCY,
    signal: abort.signal,
    env: testEnv(),
  })) {
    watch.refresh();
    if (values.long && event.type === "test:stdout") process.stdout.write(event.data.message);
    tests.add(event);
  }
  clearTimeout(watch);
  return tests;
}

function testEnv(): NodeJS.ProcessEnv {
  return {
    ...process.env,
    ...(isWhole && { NODE_V8_COVERAGE: folder.path }),
    ...(values.long && { WHARFINGER_LONG: "1" }),
  };
}

function testFiles(): readonly string[] {
  const exclude = isWhole ? [BACKENDS, ...(values.long ? [] : [ONLY_LONG])] : [];
  return globSync(isWhole ? EVERYTHING : patterns, { cwd: ROOT, exclude }).sort();
}

async function reportCoverage(): Promise<boolean> {
  const paths = globSync("src/**/*.ts", { cwd: ROOT, exclude: ["**/*.test.ts"] }).sort();
  const sources = Object.fromEntries(paths.map((path) => [path, readFileSync(join(ROOT, path), "utf8")]));
  const table = coverageTable(await readCoverage(folder.path, ROOT, sources), LEAST_COVERAGE);
  for (const line of table.lines) console.log(line);
  return table.percent >= LEAST_COVERAGE;
}
