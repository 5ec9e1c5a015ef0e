import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile, stat, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { basic, requestWith } from "../../test/support/access-request.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { Unauthorized } from "../oci/errors.ts";
import { openHtpasswd } from "./open-htpasswd.ts";

test("CVE-2026-4404: a missing file is made with one user, whose password is told once", async () => {
  await using folder = await temporaryFolder("htpasswd");
  const path = folder.join("deep", "er", "htpasswd");
  const told: [string, Readonly<Record<string, unknown>>][] = [];
  const open = (): ReturnType<typeof openHtpasswd> =>
    openHtpasswd({ realm: "r", path }, (message, fields) => told.push([message, fields]), true);
  await using access = await open();
  const [[message, { user, password }] = assert.fail()] = told;
  assert.equal(message, "htpasswd is missing, provisioning with default user");
  assert.equal(user, "docker");
  assert.match(String(password), /^[\w-]{43}$/);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.equal((await stat(folder.join("deep"))).mode & 0o777, 0o700);
  assert.match(await readFile(path, "utf8"), /^docker:\$2[aby]\$10\$[./A-Za-z0-9]{53}\n$/);
  const grant = await access.authorize(requestWith(basic("docker", String(password))), []);
  assert.equal(grant.user, "docker");
  await using again = await open();
  assert.equal(again.name, "htpasswd");
  assert.equal(told.length, 1);
});

test("a missing file is an error and is not made where a registry serves already", async () => {
  await using folder = await temporaryFolder("htpasswd");
  const path = folder.join("deep", "htpasswd");
  await assert.rejects(
    openHtpasswd({ realm: "r", path }, () => assert.fail("it warned"), false),
    { key: "path", message: `there is no file ${path}, and only a start of the registry makes one` },
  );
  assert.equal(existsSync(folder.join("deep")), false);
});

test("entries that never match are warned of, an invalid file stops the start", async () => {
  await using folder = await temporaryFolder("htpasswd");
  const path = folder.join("htpasswd");
  await writeFile(path, "alice:$apr1$abc$def\n");
  const told: string[] = [];
  await using access = await openHtpasswd({ realm: "r", path }, (message) => told.push(message), true);
  assert.match(told.join(), /^htpasswd: line 1 never matches/);
  await assert.rejects(async () => access.authorize(requestWith(basic("alice", "x")), []), Unauthorized);
  await writeFile(path, "nonsense\n");
  await assert.rejects(
    openHtpasswd({ realm: "r", path }, () => undefined, true),
    /invalid entry at line 1/,
  );
});
