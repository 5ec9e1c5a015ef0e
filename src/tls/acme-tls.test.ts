import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { test } from "node:test";
import type { SecureContext, Server } from "node:tls";
import { selfSigned } from "../../test/support/self-signed.ts";
import { type TemporaryFolder, temporaryFolder } from "../../test/support/temporary-folder.ts";
import { AcmeCache } from "./acme-cache.ts";
import { AcmeTls, type Issuer } from "./acme-tls.ts";

const DAY = 24 * 3_600_000;

interface Place extends AsyncDisposable {
  readonly tls: AcmeTls;
  readonly log: readonly string[];
  /** How long the registry wants to wait, and what for. */
  readonly waits: { readonly ms: number; readonly work: () => void }[];
  now: number;
  /** Runs the next piece of work when its time has come, and waits until there is another. */
  pass(): Promise<void>;
  shown(name: string): SecureContext | undefined;
}

async function open(folder: TemporaryFolder, issue: Issuer): Promise<Place> {
  const waits: { ms: number; work: () => void }[] = [];
  const log: string[] = [];
  const note = (line: string): void => void log.push(line);
  const letsencrypt = { cachefile: folder.path, hosts: ["One.example.org."] };
  const clientauth = "require-and-verify-client-cert" as const;
  const config = { clientcas: [], clientauth, minimumtls: "tls1.2" as const, ciphersuites: [], letsencrypt };
  const tls = new AcmeTls(config, {
    cache: new AcmeCache(folder.path),
    issue,
    log: { info: note, warn: note, error: note },
    now: () => place.now,
    random: () => 0,
    later: (ms, work) => {
      waits.push({ ms, work });
      return { [Symbol.dispose]: () => undefined };
    },
  });
  const server = createServer();
  tls.attach(server as unknown as Server);
  const place: Place = {
    tls,
    log,
    waits,
    now: Date.now(),
    pass: async () => {
      const next = waits.shift();
      if (next) place.now += next.ms;
      if (next) next.work();
      else server.emit("listening");
      while (waits.length === 0) await new Promise(setImmediate);
    },
    shown: (name) => {
      let found: SecureContext | undefined;
      tls.options.SNICallback?.(name, (_error, context) => {
        found = context;
      });
      return found;
    },
    [Symbol.asyncDispose]: async () => tls[Symbol.dispose](),
  };
  return place;
}

test("a certificate is got at the start, kept, and got again before it ends", async () => {
  await using folder = await temporaryFolder("acme");
  const pair = await selfSigned(["DNS:one.example.org"]); // for two days, so it is renewed a third of that before
  let issued = 0;
  const issue: Issuer = async (host) => {
    assert.equal(host, "one.example.org");
    issued += 1;
    return pair;
  };
  await using place = await open(folder, issue);
  assert.equal(place.shown("one.example.org"), undefined);
  await place.pass();
  assert.equal(issued, 1);
  assert.ok(place.shown("ONE.example.org."));
  assert.equal(place.shown("two.example.org"), undefined);
  assert.match(await readFile(folder.join("one.example.org"), "utf8"), /PRIVATE KEY[\s\S]*CERTIFICATE/);
  const start = place.now;
  while (issued === 1) await place.pass();
  assert.ok(place.now - start > DAY && place.now - start < 1.5 * DAY, `${(place.now - start) / DAY} days`);
  await using again = await open(folder, issue);
  assert.ok(again.shown("one.example.org"));
});

test("an authority that fails is asked again, after twice as long each time, and the certificate stays", async () => {
  await using folder = await temporaryFolder("acme");
  const pair = await selfSigned(["DNS:one.example.org"]);
  await writeFile(folder.join("one.example.org"), `${pair.key}\n${pair.cert}`);
  await using place = await open(folder, () => Promise.reject(new Error("rate limited")));
  place.now += 1.5 * DAY;
  const waits: number[] = [];
  for (let count = 0; count < 9; count += 1) {
    await place.pass();
    waits.push((place.waits[0]?.ms ?? 0) / 60_000);
  }
  assert.deepEqual(waits, [5, 10, 20, 40, 80, 160, 320, 640, 720]);
  assert.ok(place.shown("one.example.org"));
  assert.match(place.log.join(), /no certificate for one\.example\.org: rate limited/);
});

test("a certificate for another name, or with another key, is neither used nor kept", async () => {
  await using folder = await temporaryFolder("acme");
  const [other, mine] = [await selfSigned(["DNS:two.example.org"]), await selfSigned(["DNS:one.example.org"])];
  const answers = [other, { key: other.key, cert: mine.cert }];
  await using place = await open(folder, async () => answers.shift() ?? other);
  await place.pass();
  await place.pass();
  assert.equal(place.shown("one.example.org"), undefined);
  assert.equal(new AcmeCache(folder.path).get("one.example.org"), undefined);
  assert.equal(answers.length, 0);
});

test("while the authority is asked, its connections are told from those of clients", async () => {
  await using folder = await temporaryFolder("acme");
  const pair = await selfSigned(["DNS:one.example.org"]);
  await using place = await open(folder, async (_host, show) => {
    assert.equal(place.tls.challenged(), undefined);
    {
      using _shown = show(pair);
      assert.ok(place.tls.challenged());
    }
    return pair;
  });
  await place.pass();
  assert.equal(place.tls.challenged(), undefined);
  assert.ok(place.shown("one.example.org"));
});

test("what the cache cannot be made of is an error of the operator's", async () => {
  await using folder = await temporaryFolder("acme");
  await writeFile(folder.join("file"), "");
  assert.throws(() => new AcmeCache(folder.join("file")), { code: "EEXIST" });
  await mkdir(folder.join("deep"));
  assert.equal(new AcmeCache(folder.join("deep", "er")).get("a"), undefined);
});
