import assert from "node:assert/strict";
import { constants } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { Directories } from "./durable.ts";
import { WriteConflict } from "./errors.ts";
import { open, write } from "./filesystem-calls.ts";
import { FilesystemWriter } from "./filesystem-writer.ts";

test("bytes that come to a file after it was moved away are taken back, however late they are", async () => {
  await using folder = await temporaryFolder("writer");
  const [file, blob] = [folder.join("data"), folder.join("blob")];
  await writeFile(file, "whole");
  const late = (async (...args: Parameters<typeof write>) => {
    await rename(file, blob); // by another process, between the check and the write of this one
    return await write(...args);
  }) as typeof write;
  const fd = await open(file, constants.O_WRONLY | constants.O_APPEND);
  const writer = new FilesystemWriter({ file, path: "/data" }, fd, 5, new Directories(), late);
  await writer.write(Buffer.from(" and more"));
  await assert.rejects(writer.close(), WriteConflict);
  assert.equal(await readFile(blob, "utf8"), "whole");
});
