import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { threadCounts } from "./thread-counts.ts";

const NOT_LINUX = process.platform !== "linux" && "only Linux counts";
const WAITS = 2000;

test("a thread that waited has got its core again, and what another thread waits is not this one's", {
  skip: NOT_LINUX,
}, async () => {
  const before = threadCounts();
  const cell = new Int32Array(new SharedArrayBuffer(4));
  for (let wait = 0; wait < WAITS; wait++) Atomics.wait(cell, 0, 0, 0.05);
  const after = threadCounts();
  assert.ok(before && after);
  assert.ok(after.turns >= before.turns + WAITS, `${before.turns} turns, then ${after.turns}`);
  assert.ok(after.queued >= before.queued);

  const source = JSON.stringify(new URL("thread-counts.ts", import.meta.url).href);
  const code = `import(${source}).then((it) => require("node:worker_threads").parentPort.postMessage(it.threadCounts()))`;
  const worker = new Worker(code, { eval: true });
  const [its] = await once(worker, "message");
  assert.ok(its.turns > 0 && its.turns < after.turns, `${its.turns} turns of a new thread, ${after.turns} of this one`);
});
