import assert from "node:assert/strict";
import { mkdir, readFile, rename, rmdir, stat } from "node:fs/promises";
import { test } from "node:test";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { openAuditLog } from "./audit-log.ts";

const complaint = (problem: string): never => assert.fail(problem);

test("disposal ends when every line is written, in order, behind those of before", async () => {
  await using folder = await temporaryFolder("audit");
  const path = folder.join("new/audit.jsonl");
  for (const half of [0, 1]) {
    await using log = await openAuditLog(path, complaint);
    for (let i = 0; i < 20_000; i++) log.write(`${half * 20_000 + i}\n`);
  }
  assert.equal(await readFile(path, "utf8"), Array.from({ length: 40_000 }, (_, i) => `${i}\n`).join(""));
  assert.equal((await stat(path)).mode & 0o777, 0o600);
});

test("reopened, it goes on in a new file where the one so far was moved away, and loses nothing", async () => {
  await using folder = await temporaryFolder("audit");
  const path = folder.join("audit.jsonl");
  {
    await using log = await openAuditLog(path, complaint);
    for (let i = 0; i < 1000; i++) log.write(`${i}\n`);
    await rename(path, folder.join("audit.jsonl.1"));
    log.reopen();
    for (let i = 1000; i < 2000; i++) log.write(`${i}\n`);
  }
  const [older, newer] = [await readFile(folder.join("audit.jsonl.1"), "utf8"), await readFile(path, "utf8")];
  assert.equal(older + newer, Array.from({ length: 2000 }, (_, i) => `${i}\n`).join(""));
  assert.match(newer, /1999\n$/);
});

test("reopened where no new file can be had, it goes on in the one so far, says so once, and changes when it can", async () => {
  await using folder = await temporaryFolder("audit");
  const [path, older] = [folder.join("audit.jsonl"), folder.join("audit.jsonl.1")];
  const told: string[] = [];
  const log = await openAuditLog(path, (problem) => told.push(problem));
  await rename(path, older);
  await mkdir(path);
  log.reopen();
  for (const line of ["1\n", "2\n", "3\n"]) {
    log.write(line);
    await until(async () => (await readFile(older, "utf8")).endsWith(line));
  }
  assert.equal(told.length, 1);
  assert.match(told[0] ?? "", /^the audit log goes on in the file that was moved away: EISDIR/);
  await rmdir(path);
  log.write("4\n");
  await log[Symbol.asyncDispose]();
  assert.deepEqual([await readFile(older, "utf8"), await readFile(path, "utf8")], ["1\n2\n3\n", "4\n"]);
  assert.equal(told.length, 1);
});

test("a file that cannot be opened is said at once", async () => {
  await using folder = await temporaryFolder("audit");
  await assert.rejects(openAuditLog(folder.path, complaint), /EISDIR/);
});

test("what comes after its end is left out", async () => {
  await using folder = await temporaryFolder("audit");
  const log = await openAuditLog(folder.join("a"), complaint);
  log.write("x\n");
  await log[Symbol.asyncDispose]();
  log.write("y\n");
  assert.equal(await readFile(folder.join("a"), "utf8"), "x\n");
});

test("a disk without room is told of, and the end comes all the same", {
  skip: process.platform !== "linux",
}, async () => {
  const told: string[] = [];
  const log = await openAuditLog("/dev/full", (problem) => told.push(problem));
  log.write("x\n");
  await log[Symbol.asyncDispose]();
  assert.match(told[0] ?? "", /^the audit log cannot be written: ENOSPC/);
  assert.equal(told.at(-1), "the last 2 bytes of the audit log could not be written");
});

test("lines that the disk does not take are bounded, and that some are lost is told once", {
  skip: process.platform !== "linux",
}, async () => {
  const told: string[] = [];
  const log = await openAuditLog("/dev/full", (problem) => told.push(problem));
  for (let i = 0; i < 20; i++) log.write("x".repeat(1024 * 1024));
  await log[Symbol.asyncDispose]();
  assert.deepEqual(told, [
    "lines of the audit log are lost: too many wait",
    `the last ${16 * 1024 * 1024} bytes of the audit log could not be written`,
  ]);
});

/** The test's own deadline ends it where that never is. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise(setImmediate);
}
