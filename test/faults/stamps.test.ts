import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { decorate } from "../../src/lib/decorate.ts";
import { canStamp } from "../../src/storage/driver.ts";
import { PathNotFound } from "../../src/storage/errors.ts";
import { openFilesystem } from "../../src/storage/filesystem.ts";
import { rememberingDriver } from "../../src/storage/remembering.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const BURSTS = 20;

/** Answers in a row that came from memory before the writer goes on. */
const ENOUGH = 50;

test("what another process wrote is what is read from then on, however it writes and whatever is remembered", async (t) => {
  await using folder = await temporaryFolder("stamps");
  const driver = await openFilesystem({ rootdirectory: folder.path });
  if (!canStamp(driver)) return t.skip("the temporary folder lies on a file system without stamps");
  writeFileSync(folder.join("link"), "0".repeat(12));
  writeFileSync(folder.join("count"), "0".repeat(12));
  let reads = 0;
  const counting = decorate(driver, {
    getContent: (path) => {
      reads += 1;
      return driver.getContent(path);
    },
  });
  const remembering = rememberingDriver(counting, {
    contents: () => true,
    stats: () => true,
    listings: () => true,
  });
  const count = openSync(folder.join("count"), "r");
  const writer = fork(join(import.meta.dirname, "stamped-writer.ts"), [folder.join("link"), folder.join("count")]);
  try {
    for (let burst = 1; burst <= BURSTS; burst++) {
      writer.send("go");
      let isWriting = true;
      const written = once(writer, "message").then(() => {
        isWriting = false;
      });
      for (let hits = 0; isWriting || hits < ENOUGH; ) {
        const done = readCount(count);
        const readsBefore = reads;
        const seen = await contentOf(remembering.getContent("/link"));
        if (seen !== undefined) assert.ok(seen >= done, `read ${seen} when ${done} was written`);
        hits = reads === readsBefore ? hits + 1 : 0;
        await setImmediate();
      }
      await written;
    }
  } finally {
    writer.disconnect();
    await once(writer, "exit");
    closeSync(count);
  }
});

function readCount(fd: number): number {
  const bytes = Buffer.alloc(12);
  readSync(fd, bytes, 0, 12, 0);
  return Number(bytes.toString());
}

/** undefined where it is gone, or not yet written, at that moment */
async function contentOf(reading: Promise<Uint8Array>): Promise<number | undefined> {
  try {
    const text = Buffer.from(await reading).toString();
    return text.length === 12 ? Number(text) : undefined;
  } catch (error) {
    if (error instanceof PathNotFound) return undefined;
    throw error;
  }
}
