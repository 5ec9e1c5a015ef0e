import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { connect } from "node:tls";
import { until } from "../faults/until.ts";
import { freePort } from "../support/free-port.ts";
import { startPebble, unlessPebble } from "../support/pebble.ts";
import { type RegistryProcess, startRegistry } from "../support/registry-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** Who issued the certificate that the server shows for this name; undefined where it shows none. */
function issuerOf(port: number, servername: string, ALPNProtocols?: string[]): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const options = {
    port,
    host: "127.0.0.1",
    servername,
    rejectUnauthorized: false,
    ...(ALPNProtocols && { ALPNProtocols }),
  };
  const socket = connect(options, () => {
    resolve(String(socket.getPeerCertificate().issuer.CN));
    socket.destroy();
  });
  socket.on("error", () => resolve(undefined));
  return promise;
}

describe("Let's Encrypt", { skip: unlessPebble() }, () => {
  test("gives a certificate for each listed name, which is kept and served after a restart", async () => {
    await using folder = await temporaryFolder("letsencrypt");
    const port = await freePort();
    await using pebble = await startPebble(folder, port);
    const cachefile = folder.join("cache");
    const letsencrypt = {
      cachefile,
      email: "a@example.org",
      hosts: ["one.example.org", "Two.example.org"],
      directoryurl: pebble.directory,
    };
    const options = {
      rootDirectory: folder.join("data"),
      port,
      configuration: { http: { tls: { letsencrypt } } },
      env: { NODE_EXTRA_CA_CERTS: pebble.authority },
    };
    {
      await using registry = await startRegistry("wharfinger", options);
      await until("both names have a certificate", async () => {
        const issuers = await Promise.all(["one.example.org", "two.example.org"].map((name) => issuerOf(port, name)));
        return issuers.every((issuer) => issuer?.startsWith("Pebble"));
      }).catch((cause: unknown) => {
        throw new Error(`${registry.log}\n${pebble.log}`, { cause });
      });
      assert.equal(await issuerOf(port, "three.example.org"), undefined);
      assert.equal(await issuerOf(port, "one.example.org", ["acme-tls/1"]), undefined, "nobody is asked now");
    }
    assert.deepEqual((await readdir(cachefile)).sort(), ["acme_account+key", "one.example.org", "two.example.org"]);
    for (const name of await readdir(cachefile)) {
      assert.equal((await stat(`${cachefile}/${name}`)).mode & 0o777, 0o600, name);
    }
    const orders = pebble.log.split("Issued certificate").length;
    await using registry = await startRegistry("wharfinger", options);
    assert.match((await issuerOf(port, "one.example.org")) ?? "", /^Pebble/);
    assert.equal(pebble.log.split("Issued certificate").length, orders);
    assert.doesNotMatch(registry.log, /no certificate for/);
  });

  test("renews a certificate that has ended, which is shown until then, and replaces one that is damaged", async () => {
    await using folder = await temporaryFolder("letsencrypt");
    const port = await freePort();
    await using pebble = await startPebble(folder, port, 2);
    const [cachefile, hosts] = [folder.join("cache"), ["one.example.org", "two.example.org"]];
    const letsencrypt = { cachefile, email: "a@example.org", hosts, directoryurl: pebble.directory };
    const start = (): Promise<RegistryProcess> =>
      startRegistry("wharfinger", {
        rootDirectory: folder.join("data"),
        port,
        configuration: { http: { tls: { letsencrypt } } },
        env: { NODE_EXTRA_CA_CERTS: pebble.authority },
      });
    const kept = (): Promise<string[]> =>
      Promise.all(hosts.map((name) => readFile(`${cachefile}/${name}`, "utf8").catch(() => "")));
    {
      await using _registry = await start();
      await until("both are kept", async () => (await kept()).every((text) => text.includes("CERTIFICATE")));
    }
    const [first = "", second = ""] = await kept();
    await until("they have ended", () => new X509Certificate(certificateIn(first)).validToDate.getTime() < Date.now());
    await writeFile(`${cachefile}/two.example.org`, second.slice(0, 100));
    await using registry = await start();
    assert.match(registry.log, /the certificate of one\.example\.org is valid until/);
    assert.match((await issuerOf(port, "one.example.org")) ?? "", /^Pebble/);
    await until("both are new", async () =>
      (await kept()).every((text) => text.includes("CERTIFICATE") && text !== first && text !== second),
    ).catch((cause: unknown) => {
      throw new Error(`${registry.log}\n${pebble.log}`, { cause });
    });
    assert.match((await issuerOf(port, "two.example.org")) ?? "", /^Pebble/);
  });
});

function certificateIn(text: string): string {
  return text.slice(text.indexOf("-----BEGIN CERTIFICATE-----"));
}
