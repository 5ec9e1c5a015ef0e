import assert from "node:assert/strict";
import fs from "node:fs";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { test } from "node:test";
import { temporaryFolder } from "../test/support/temporary-folder.ts";
import { keepSecret, randomSecret } from "./upload-secret.ts";

test("the secret is made once, for its owner alone, and is the same at the next start", async () => {
  await using folder = await temporaryFolder("secret");
  const home = folder.join("deep", "wharfinger");
  const secret = keepSecret(home);
  assert.match(secret, /^[A-Za-z0-9_-]{43}$/);
  assert.equal(keepSecret(home), secret);
  assert.equal((await stat(folder.join("deep", "wharfinger", "secret"))).mode & 0o777, 0o600);
  assert.equal((await stat(home)).mode & 0o777, 0o700);
  assert.deepEqual(await readdir(home), ["secret"]);
  assert.equal(await readFile(folder.join("deep", "wharfinger", "secret"), "utf8"), secret);
});

test("a secret that an operator wrote is taken as it is, without the newline of an editor", async () => {
  await using folder = await temporaryFolder("secret");
  await writeFile(folder.join("secret"), "of the operator\n");
  assert.equal(keepSecret(folder.path), "of the operator");
});

test("where the folder takes no file, the error names it", async () => {
  await using folder = await temporaryFolder("secret");
  await writeFile(folder.join("file"), "");
  for (const path of [folder.join("file"), folder.join("file", "below")]) {
    assert.throws(
      () => keepSecret(path),
      (error: Error) => error.message.includes(path),
    );
  }
});

for (const content of ["", " \n"]) {
  test(`a file with ${JSON.stringify(content)} in it is no secret and is replaced by one`, async () => {
    await using folder = await temporaryFolder("secret");
    await writeFile(folder.join("secret"), content);
    const secret = keepSecret(folder.path);
    assert.match(secret, /^[A-Za-z0-9_-]{43}$/);
    assert.equal(keepSecret(folder.path), secret);
    assert.equal((await stat(folder.join("secret"))).mode & 0o777, 0o600);
    assert.deepEqual(await readdir(folder.path), ["secret"]);
  });
}

test("an empty file that cannot be replaced is named", async (t) => {
  await using folder = await temporaryFolder("secret");
  const path = folder.join("secret");
  await writeFile(path, "");
  t.mock.method(fs, "renameSync", () => {
    throw new Error("not permitted");
  });
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
  assert.throws(() => keepSecret(folder.path), {
    message: `${path} is empty and cannot be replaced: Error: not permitted`,
  });
  assert.deepEqual(await readdir(folder.path), ["secret"]);
});

test("two random secrets differ and have 256 bits", () => {
  assert.notEqual(randomSecret(), randomSecret());
  assert.equal(Buffer.from(randomSecret(), "base64url").length, 32);
});
