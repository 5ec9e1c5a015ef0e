import assert from "node:assert/strict";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { temporaryFolder } from "../test/support/temporary-folder.ts";
import { keepSecret, randomSecret } from "./upload-secret.ts";

test("the secret is made once, for its owner alone, and is the same at the next start", async () => {
  await using folder = await temporaryFolder("secret");
  const home = folder.join("deep", "wharfinger");
  const secret = keepSecret(home);
  assert.match(secret ?? "", /^[A-Za-z0-9_-]{43}$/);
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

test("where the folder takes no file there is none", async () => {
  await using folder = await temporaryFolder("secret");
  await writeFile(folder.join("file"), "");
  assert.equal(keepSecret(folder.join("file")), undefined);
  assert.equal(keepSecret(folder.join("file", "below")), undefined);
});

test("two random secrets differ and have 256 bits", () => {
  assert.notEqual(randomSecret(), randomSecret());
  assert.equal(Buffer.from(randomSecret(), "base64url").length, 32);
});
