import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { tryRun } from "../support/run.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const RUN = join(import.meta.dirname, "..", "run.ts");
/** Variables without which the runner takes itself for no test, and leaves no coverage. */
const APART = ["-u", "NODE_TEST_CONTEXT", "-u", "NODE_V8_COVERAGE"];
const IMPORTS = 'import { describe, test } from "node:test";\nimport assert from "node:assert/strict";\n';

/** Runs these test files with test/run.ts. */
async function runFiles(files: Readonly<Record<string, string>>) {
  await using folder = await temporaryFolder("run");
  for (const [name, text] of Object.entries(files)) await writeFile(folder.join(name), IMPORTS + text);
  const { exitCode, stdout } = await tryRun("env", [...APART, process.execPath, RUN, folder.join("*.mts")]);
  return { exitCode, stdout, lines: stdout.trimEnd().split("\n") };
}

test("passed and skipped tests are counted on the last line, and the exit code is 0", async () => {
  const { exitCode, lines } = await runFiles({
    "a.mts":
      'test("a", () => {}); test("b", { skip: "no tool" }, () => {}); describe("c", () => { test("d", () => {}); });',
    "b.mts": 'test("e", () => {});',
  });
  assert.equal(lines.at(-1), "3 passed, 0 failed, 1 skipped");
  assert.match(lines.at(-2) ?? "", /^skipped: .*a\.mts: b \(no tool\)$/);
  assert.equal(exitCode, 0);
});

test("a failed test is shown with its error and with what its file wrote", async () => {
  const { exitCode, stdout, lines } = await runFiles({
    "a.mts": 'describe("s", () => { test("sum", () => { console.log("a hint"); assert.equal(1 + 1, 3); }); });',
  });
  assert.match(stdout, /failed: .*a\.mts: sum\n.*strictly equal[\s\S]*2 !== 3/);
  assert.match(stdout, /a hint/);
  assert.equal(lines.at(-1), "0 passed, 1 failed, 0 skipped");
  assert.equal(exitCode, 1);
});

test("a file that does not load fails", async () => {
  const { exitCode, stdout, lines } = await runFiles({
    "a.mts": 'throw new Error("broken");',
    "b.mts": 'test("b", () => {});',
  });
  assert.match(stdout, /failed: .*a\.mts: the file as a whole[\s\S]*Error: broken/);
  assert.equal(lines.at(-1), "1 passed, 1 failed, 0 skipped");
  assert.equal(exitCode, 1);
});

test("a file without a test fails", async () => {
  const { exitCode, stdout, lines } = await runFiles({ "a.mts": "assert.ok(describe && test);" });
  assert.match(stdout, /there is no test in it/);
  assert.equal(lines.at(-1), "0 passed, 1 failed, 0 skipped");
  assert.equal(exitCode, 1);
});

test("a pattern without a file fails", async () => {
  const { exitCode, lines } = await runFiles({});
  assert.deepEqual(lines.slice(-2), ["no test ran", "0 passed, 0 failed, 0 skipped"]);
  assert.equal(exitCode, 1);
});

test("only skipped tests are as good as none", async () => {
  const { exitCode, lines } = await runFiles({ "a.mts": 'test("a", { skip: true }, () => assert.ok(describe));' });
  assert.equal(lines.at(-1), "0 passed, 0 failed, 1 skipped");
  assert.equal(exitCode, 1);
});
