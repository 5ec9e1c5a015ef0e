import assert from "node:assert/strict";
import { rename, rm, utimes, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { Unavailable } from "../oci/errors.ts";
import { FileContent } from "./file-content.ts";

interface Parsed {
  readonly text: string;
}

function parse(text: string): Parsed {
  if (text === "bad") throw new Error("it is bad");
  return { text };
}

test("a change is seen at once, also of the same length and at the same time", async () => {
  await using folder = await temporaryFolder("content");
  const path = folder.join("file");
  await writeFile(path, "one");
  const content = new FileContent(path, parse, assert.fail);
  const first = content.get();
  assert.equal(content.get(), first);
  await writeFile(path, "two");
  assert.equal(content.get().text, "two");
  await writeFile(folder.join("other"), "six");
  await utimes(folder.join("other"), 1, 1);
  await rename(folder.join("other"), path);
  assert.equal(content.get().text, "six");
  await writeFile(path, "six");
  const same = content.get();
  assert.equal(content.get(), same);
});

test("a file that cannot be used stops the start", async () => {
  await using folder = await temporaryFolder("content");
  const path = folder.join("file");
  assert.throws(() => new FileContent(path, parse, assert.fail), /ENOENT/);
  await writeFile(path, "bad");
  assert.throws(() => new FileContent(path, parse, assert.fail), /it is bad/);
  assert.throws(() => new FileContent(folder.path, parse, assert.fail), /is no file/);
});

test("while it is broken or gone nothing of it counts, which is told once", async () => {
  await using folder = await temporaryFolder("content");
  const path = folder.join("file");
  await writeFile(path, "one");
  const told: unknown[] = [];
  const content = new FileContent(path, parse, (_message, { reason }) => told.push(reason));
  await writeFile(path, "bad");
  for (let i = 0; i < 3; i++) assert.throws(() => content.get(), Unavailable);
  assert.deepEqual(told, ["it is bad"]);
  await rm(path);
  for (let i = 0; i < 3; i++) assert.throws(() => content.get(), Unavailable);
  assert.equal(told.length, 2);
  await writeFile(path, "one");
  assert.equal(content.get().text, "one");
  assert.equal(told.length, 2);
});
