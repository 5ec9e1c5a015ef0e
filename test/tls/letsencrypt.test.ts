/** Let's Encrypt where it cannot be reached, or what it gave is damaged. It itself is in test/backends/letsencrypt.test.ts. */
import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { connect } from "node:tls";
import { until } from "../faults/until.ts";
import { freePort } from "../support/free-port.ts";
import { type RegistryProcess, startRegistry } from "../support/registry-process.ts";
import { selfSigned } from "../support/self-signed.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";

const HOSTS = ["kept.example.org", "none.example.org", "broken.example.org", "folder.example.org"];

async function start(folder: TemporaryFolder): Promise<RegistryProcess> {
  const directoryurl = `https://127.0.0.1:${await freePort()}/dir`;
  const letsencrypt = { cachefile: folder.join("cache"), email: "a@example.org", hosts: HOSTS, directoryurl };
  return await startRegistry("wharfinger", {
    rootDirectory: folder.join("data"),
    configuration: { http: { tls: { letsencrypt }, draintimeout: "720h" } },
  });
}

/** Whether a certificate is shown for a name. */
function isShown(port: number, servername: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ port, host: "127.0.0.1", servername, rejectUnauthorized: false }, () => {
    resolve(true);
    socket.destroy();
  });
  socket.on("error", () => resolve(false));
  return promise;
}

test("while the authority cannot be reached, names are served that have a certificate", async () => {
  await using folder = await temporaryFolder("letsencrypt");
  const { key, cert } = await selfSigned(["DNS:kept.example.org"]);
  await mkdir(folder.join("cache"));
  await writeFile(folder.join("cache", "kept.example.org"), `${key}${cert}`);
  await writeFile(folder.join("cache", "broken.example.org"), "nothing of use");
  await mkdir(folder.join("cache", "folder.example.org"));
  await using registry = await start(folder);
  await until("the authority was asked", () =>
    HOSTS.slice(1).every((name) => new RegExp(`no certificate for ${name}: .*ECONNREFUSED`).test(registry.log)),
  ).catch((cause: unknown) => {
    throw new Error(registry.log, { cause });
  });
  assert.match(registry.log, /the certificate of folder\.example\.org cannot be read: EISDIR/);
  for (const name of HOSTS) assert.equal(await isShown(registry.port, name), name === "kept.example.org", name);

  const broken = await selfSigned(["DNS:broken.example.org"]);
  await writeFile(folder.join("cache", "broken.example.org"), `${broken.key}${broken.cert}`);
  process.kill(registry.pid, "SIGHUP");
  await until("the one that was put there is served", () => isShown(registry.port, "broken.example.org"));
  assert.equal(await registry.stop(), 0);
});

test("a key of the account that cannot be used is told of, and left to the operator", async () => {
  await using folder = await temporaryFolder("letsencrypt");
  await mkdir(folder.join("cache"));
  await writeFile(folder.join("cache", "acme_account+key"), "nothing of use");
  await using registry = await start(folder);
  await until("it was told", () => /acme_account\+key holds no private key; restore it/.test(registry.log));
  assert.equal(await readFile(folder.join("cache", "acme_account+key"), "utf8"), "nothing of use");
});
