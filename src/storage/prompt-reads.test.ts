import assert from "node:assert/strict";
import { closeSync, openSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import type { ThreadCounts } from "../lib/thread-counts.ts";
import { openReader } from "./filesystem-reader.ts";
import { PromptReads, promptReadsBelow, type Watch } from "./prompt-reads.ts";

const CONTENT = Buffer.from("0123456789");

test("after slow reads of more than 5 ms there is none until all but 5 ms is atoned for, fifty times as long", async () => {
  await using opened = await openFile();
  const clock = new Clock();
  const reads = new PromptReads(0, clock);
  const into = Buffer.alloc(4);
  clock.step = 0.1;
  assert.deepEqual(reads.read(opened.fd, into, 3), { count: 4, wasPrompt: true });
  assert.equal(into.toString(), "3456");
  assert.ok(reads.mayRead(4));
  clock.step = 8;
  assert.deepEqual(reads.read(opened.fd, into, 0), { count: 4, wasPrompt: false });
  clock.step = 0;
  clock.time += 149; // (8 - 5) * 50
  assert.ok(!reads.mayRead(4));
  clock.time += 1;
  assert.ok(reads.mayRead(4));
});

test("stray waits of a millisecond do not end reading here, many close to one another do", async () => {
  await using opened = await openFile();
  const clock = new Clock();
  const reads = new PromptReads(0, clock);
  const readSlowly = (): boolean => {
    clock.step = 1;
    reads.read(opened.fd, Buffer.alloc(4), 0);
    clock.step = 0;
    return reads.mayRead(4);
  };
  for (let stray = 0; stray < 4; stray++) {
    assert.ok(readSlowly());
    clock.time += 60;
    await new Promise(setImmediate);
  }
  const allowed: boolean[] = [];
  for (let read = 0; read < 6; read++) allowed.push(readSlowly());
  assert.deepEqual(allowed, [true, true, true, true, false, false]);
});

test("a read that took long without having been away from its core counts as prompt", async () => {
  await using opened = await openFile();
  const clock = new Clock();
  const reads = new PromptReads(0, clock);
  clock.step = 80;
  clock.turns = 0;
  assert.deepEqual(reads.read(opened.fd, Buffer.alloc(4), 0), { count: 4, wasPrompt: true });
  assert.ok(reads.mayRead(4));
  clock.turns = 1;
  assert.deepEqual(reads.read(opened.fd, Buffer.alloc(4), 0), { count: 4, wasPrompt: false });
  assert.ok(!reads.mayRead(4));
});

test("so does one that took long because others had the core, and only the rest of the time is atoned for", async () => {
  await using opened = await openFile();
  const clock = new Clock();
  const reads = new PromptReads(0, clock);
  clock.step = 80;
  clock.queued = 79.6;
  assert.deepEqual(reads.read(opened.fd, Buffer.alloc(4), 0), { count: 4, wasPrompt: true });
  assert.ok(reads.mayRead(4));
  clock.queued = 72;
  assert.deepEqual(reads.read(opened.fd, Buffer.alloc(4), 0), { count: 4, wasPrompt: false });
  clock.step = 0;
  clock.time += 149; // (80 - 72 - 5) * 50
  assert.ok(!reads.mayRead(4));
  clock.time += 1;
  assert.ok(reads.mayRead(4));
});

test("there are so many reads in one turn of the event loop, and none of more than half a MiB", async () => {
  const reads = new PromptReads(0, new Clock());
  assert.ok(!reads.mayRead(512 * 1024 + 1));
  for (let read = 0; read < 4; read++) assert.ok(reads.mayRead(512 * 1024));
  assert.ok(!reads.mayRead(1));
  await new Promise(setImmediate);
  assert.ok(reads.mayRead(1));
});

test("a read through the pool is prompt where it took no longer than five milliseconds", async () => {
  const clock = new Clock();
  const reads = new PromptReads(0, clock);
  clock.step = 5;
  assert.deepEqual(await reads.watch(async () => 7), { result: 7, wasPrompt: true });
  clock.step = 6;
  assert.deepEqual(await reads.watch(async () => 7), { result: 7, wasPrompt: false });
});

test("the first read of a file is made through the pool, and the next ones after prompt ones only", async () => {
  await using folder = await temporaryFolder("prompt");
  const reads = await promptReadsBelow(folder.path);
  if (!reads) return;
  const file = folder.join("file");
  writeFileSync(file, CONTENT);
  const clock = new Clock();
  const here = new CountedReads(reads.device, clock);
  await using reader = await openReader(file, "/file", 0, here);
  const counts: number[] = [];
  for (const step of [0.1, 0.1, 0.1, 2, 0.1, 0.1, 8, 0.1, 0.1]) {
    clock.step = step;
    const into = Buffer.alloc(1);
    assert.equal(await reader.read(into), 1);
    assert.equal(into.toString(), CONTENT.toString()[counts.length]);
    counts.push(here.count);
  }
  assert.deepEqual(counts, [0, 1, 2, 3, 3, 4, 5, 5, 5]);
});

test("others have their turn before a read made here is told of", async () => {
  await using folder = await temporaryFolder("prompt");
  const reads = await promptReadsBelow(folder.path);
  if (!reads) return;
  const file = folder.join("file");
  writeFileSync(file, CONTENT);
  const here = new CountedReads(reads.device, new Clock());
  await using reader = await openReader(file, "/file", 0, here);
  await reader.read(Buffer.alloc(1));
  let turns = 0;
  setImmediate(() => (turns += 1));
  await reader.read(Buffer.alloc(1));
  assert.deepEqual([turns, here.count], [1, 1]);
});

test("of reads allowed in the same turn none is made here after one that hung", async () => {
  await using folder = await temporaryFolder("prompt");
  const reads = await promptReadsBelow(folder.path);
  if (!reads) return;
  const file = folder.join("file");
  writeFileSync(file, CONTENT);
  const clock = new Clock();
  const here = new CountedReads(reads.device, clock);
  await using first = await openReader(file, "/file", 0, here);
  await using second = await openReader(file, "/file", 0, here);
  for (const reader of [first, second]) await reader.read(Buffer.alloc(1));
  clock.step = 1000;
  const both = [first, second].map((reader) => reader.read(Buffer.alloc(1)));
  assert.deepEqual(await Promise.all(both), [1, 1]);
  assert.equal(here.count, 1);
});

test("a file on another device than the root is read through the pool", async () => {
  await using folder = await temporaryFolder("prompt");
  const file = folder.join("file");
  writeFileSync(file, CONTENT);
  const here = new CountedReads(-1, new Clock());
  await using reader = await openReader(file, "/file", 0, here);
  for (let read = 0; read < 3; read++) assert.equal(await reader.read(Buffer.alloc(1)), 1);
  assert.equal(here.count, 0);
});

test("no file is read without a promise on a file system that is not of this machine", async () => {
  assert.equal(await promptReadsBelow("/proc"), undefined);
});

class CountedReads extends PromptReads {
  count = 0;

  override read(...read: Parameters<PromptReads["read"]>): ReturnType<PromptReads["read"]> {
    this.count += 1;
    return super.read(...read);
  }
}

/** Goes on by `step` each time it is asked, ms; each look at the counts tells of so many turns more, and so long in the queue. */
class Clock implements Watch {
  time = 0;
  step = 0;
  turns = 1;
  queued = 0;
  #counts: ThreadCounts = { turns: 1, queued: 0 };

  readonly counts = (): ThreadCounts => {
    const { turns, queued } = this.#counts;
    this.#counts = { turns: turns + this.turns, queued: queued + this.queued };
    return this.#counts;
  };

  readonly now = (): number => {
    this.time += this.step;
    return this.time;
  };
}

async function openFile(): Promise<AsyncDisposable & { readonly fd: number }> {
  const folder = await temporaryFolder("prompt");
  const file = folder.join("file");
  writeFileSync(file, CONTENT);
  const fd = openSync(file, "r");
  return {
    fd,
    async [Symbol.asyncDispose]() {
      closeSync(fd);
      await folder[Symbol.asyncDispose]();
    },
  };
}
