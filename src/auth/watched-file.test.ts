import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { WatchedFile } from "./watched-file.ts";

/** Long after any change, so that no file counts as one that may change again without its times telling. */
const later = (): number => Date.now() + 60_000;
/** Past a look at the sockets: what runs right behind one belongs to it. */
const nextTurn = async (): Promise<void> => {
  for (let check = 0; check < 2; check++) await new Promise((resolve) => setImmediate(resolve));
};

test("one look serves a turn of the event loop, and the next turn looks again", async () => {
  await using folder = await temporaryFolder("watched");
  const path = folder.join("file");
  writeFileSync(path, "one");
  const file = new WatchedFile(path, later);
  assert.equal(file.read(), "one");
  assert.equal(file.read(), "one");
  writeFileSync(path, "another");
  assert.equal(file.read(), "one");
  await nextTurn();
  assert.equal(file.read(), "another");
});

test("what changed lately is read each time", async () => {
  await using folder = await temporaryFolder("watched");
  const path = folder.join("file");
  writeFileSync(path, "one");
  const file = new WatchedFile(path);
  assert.equal(file.read(), "one");
  writeFileSync(path, "two");
  assert.equal(file.read(), "two");
});

test("after a look that failed nothing of before counts, in the same turn neither", async () => {
  await using folder = await temporaryFolder("watched");
  const path = folder.join("file");
  writeFileSync(path, "one");
  const file = new WatchedFile(path, later);
  file.read();
  await nextTurn();
  rmSync(path);
  for (let look = 0; look < 2; look++) assert.throws(() => file.read(), { code: "ENOENT" });
  writeFileSync(path, "two");
  assert.equal(file.read(), "two");
});
