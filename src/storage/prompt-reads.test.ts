import assert from "node:assert/strict";
import { closeSync, openSync, statSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { type TemporaryFolder, temporaryFolder } from "../../test/support/temporary-folder.ts";
import type { ThreadCounts } from "../lib/thread-counts.ts";
import { openReader } from "./filesystem-reader.ts";
import { PromptReads, promptReadsBelow, type Watch } from "./prompt-reads.ts";

const CONTENT = Buffer.from("0123456789");

test("after slow reads of more than 5 ms there is none until all but 5 ms is atoned for, fifty times as long", async () => {
  await using opened = await openFile();
  const { clock, reads } = opened;
  const into = Buffer.alloc(4);
  clock.step = 0.1;
  assert.deepEqual(reads.read(opened.fd, into, 3), { count: 4, wasPrompt: true });
  assert.equal(into.toString(), "3456");
  assert.ok(reads.mayRead(4));
  clock.step = 8;
  assert.deepEqual(reads.read(opened.fd, into, 0), { count: 4, wasPrompt: false });
  mayReadAfter(150, clock, reads); // (8 - 5) * 50
});

test("stray waits of a millisecond do not end reading here, many close to one another do", async () => {
  await using opened = await openFile();
  const { clock, reads } = opened;
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

for (const { where, prompt, slow, debt } of [
  { where: "at work on its core", prompt: { turns: 0 }, slow: { turns: 1 }, debt: 75 },
  { where: "in the queue for it", prompt: { queued: 79.6 }, slow: { queued: 72 }, debt: 3 },
]) {
  test(`a read of 80 ms that was ${where} counts as prompt, and only the rest is atoned for`, async () => {
    await using opened = await openFile();
    const { clock, reads } = opened;
    clock.step = 80;
    Object.assign(clock, prompt);
    assert.deepEqual(reads.read(opened.fd, Buffer.alloc(4), 0), { count: 4, wasPrompt: true });
    assert.ok(reads.mayRead(4));
    Object.assign(clock, slow);
    assert.deepEqual(reads.read(opened.fd, Buffer.alloc(4), 0), { count: 4, wasPrompt: false });
    mayReadAfter(debt * 50, clock, reads);
  });
}

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
  const { file, clock, here } = countedReads(folder);
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
  const { file, here } = countedReads(folder);
  await using reader = await openReader(file, "/file", 0, here);
  await reader.read(Buffer.alloc(1));
  let turns = 0;
  setImmediate(() => (turns += 1));
  await reader.read(Buffer.alloc(1));
  assert.deepEqual([turns, here.count], [1, 1]);
});

test("of reads allowed in the same turn none is made here after one that hung", async () => {
  await using folder = await temporaryFolder("prompt");
  const { file, clock, here } = countedReads(folder);
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

/** Of a file in the folder. */
function countedReads(folder: TemporaryFolder): { file: string; clock: Clock; here: CountedReads } {
  const file = folder.join("file");
  writeFileSync(file, CONTENT);
  const clock = new Clock();
  return { file, clock, here: new CountedReads(statSync(file).dev, clock) };
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

/** A file, its reads, and the clock that they are judged by. */
interface Opened extends AsyncDisposable {
  readonly fd: number;
  readonly clock: Clock;
  readonly reads: PromptReads;
}

async function openFile(): Promise<Opened> {
  const folder = await temporaryFolder("prompt");
  const file = folder.join("file");
  writeFileSync(file, CONTENT);
  const fd = openSync(file, "r");
  const clock = new Clock();
  return {
    ...{ fd, clock, reads: new PromptReads(0, clock) },
    async [Symbol.asyncDispose]() {
      closeSync(fd);
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Not a millisecond sooner. */
function mayReadAfter(ms: number, clock: Clock, reads: PromptReads): void {
  clock.step = 0;
  clock.time += ms - 1;
  assert.ok(!reads.mayRead(4));
  clock.time += 1;
  assert.ok(reads.mayRead(4));
}
