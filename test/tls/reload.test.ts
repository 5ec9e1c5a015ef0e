/** Certificates, keys and client CAs that change while the registry serves. */
import assert from "node:assert/strict";
import { copyFile, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { describe, test } from "node:test";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import type { TlsConfig } from "../../src/config/tls-config.ts";
import { MemoryDriver } from "../../src/storage/memory.ts";
import { FileTls } from "../../src/tls/file-tls.ts";
import { type Api, startApi } from "../support/api.ts";
import { Authority } from "../support/authority.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";

interface Place extends AsyncDisposable {
  readonly folder: TemporaryFolder;
  readonly api: Api;
  readonly tls: FileTls;
  readonly log: string[];
  readonly ours: Authority;
  readonly theirs: Authority;
}

async function open(over: Partial<TlsConfig> = {}): Promise<Place> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder("tls"));
  const [ours, theirs] = [await Authority.make(folder, "ours"), await Authority.make(folder, "theirs")];
  const { certPath, keyPath } = await ours.sign("first");
  const [certificate, key] = [folder.join("cert"), folder.join("key")];
  await copyFile(certPath, certificate);
  await copyFile(keyPath, key);
  const log: string[] = [];
  const note = (line: string): void => void log.push(line);
  const config: TlsConfig = { ...DEFAULTS, certificate, key, ...over };
  const cas = over.clientcas ? { clientcas: [folder.join("cas")] } : {};
  if (over.clientcas) await copyFile(ours.path, folder.join("cas"));
  const tls = stack.use(new FileTls({ ...config, ...cas }, { info: note, error: note }));
  const api = stack.use(await startApi(new MemoryDriver(), { protocol: "tls", tls }));
  const owned = stack.move();
  return { folder, api, tls, log, ours, theirs, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

const DEFAULTS: TlsConfig = {
  clientcas: [],
  clientauth: "require-and-verify-client-cert",
  minimumtls: "tls1.2",
  ciphersuites: [],
  letsencrypt: { hosts: [] },
};

/** Opens a connection, and answers whose certificate the server showed. */
async function shownBy(api: Api): Promise<string> {
  const socket = connect({ port: api.port, host: "127.0.0.1", rejectUnauthorized: false });
  await new Promise((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return subject.CN?.toString() ?? "";
}

async function replace(
  { folder }: Place,
  { cert, key }: { readonly cert: string; readonly key: string },
): Promise<void> {
  await writeFile(folder.join("cert"), cert);
  await writeFile(folder.join("key"), key);
}

describe("the files of http.tls", () => {
  test("count anew when they changed, for new connections", async () => {
    await using place = await open();
    const kept = connect({ port: place.api.port, host: "127.0.0.1", rejectUnauthorized: false });
    await new Promise((resolve) => kept.once("secureConnect", resolve));
    assert.equal(await shownBy(place.api), "first");
    place.tls.look();
    assert.deepEqual(place.log, []);
    await replace(place, await place.ours.sign("second"));
    place.tls.look();
    assert.equal(await shownBy(place.api), "second");
    assert.equal(place.log.length, 1);
    const answered = new Promise((resolve) => kept.once("data", resolve));
    kept.write("GET /v2/ HTTP/1.1\r\nHost: a\r\n\r\n");
    assert.match(String(await answered), /^HTTP\/1\.1 200/);
    kept.destroy();
  });

  test("stay as they were where the new ones are no pair, and count once they are", async () => {
    await using place = await open();
    const second = await place.ours.sign("second");
    await writeFile(place.folder.join("cert"), second.cert);
    place.tls.look();
    assert.match(place.log.join(), /those of before stay: .*are no pair/);
    assert.equal(await shownBy(place.api), "first");
    place.tls.look();
    assert.equal(place.log.length, 1);
    await replace(place, second);
    place.tls.look();
    assert.equal(await shownBy(place.api), "second");
    await writeFile(place.folder.join("key"), "nothing");
    place.tls.reload();
    assert.doesNotMatch(place.log.join(), /nothing/);
    assert.equal(await shownBy(place.api), "second");
  });

  test("that are missing, no certificates, or no pair keep the registry from starting", async () => {
    await using place = await open();
    const { folder } = place;
    await writeFile(folder.join("empty"), "");
    const [certificate, key] = [folder.join("cert"), folder.join("key")];
    for (const [config, message] of [
      [{ certificate: folder.join("none"), key }, /^http\.tls\.certificate: cannot be read: ENOENT/],
      [{ certificate, key: folder.join("none") }, /^http\.tls\.key: cannot be read: ENOENT/],
      [{ certificate, key: place.theirs.path }, /^http\.tls: .* are no pair/],
      [{ certificate: folder.join("empty"), key }, /^http\.tls: .* are no pair/],
      [
        { certificate, key, clientcas: [folder.join("empty")] },
        /could not add CA to pool: .*has no certificate in PEM/,
      ],
    ] as const) {
      const silent = { info: () => undefined, error: () => undefined };
      assert.throws(() => new FileTls({ ...DEFAULTS, ...config }, silent), { name: "ConfigError", message });
    }
  });

  test("let no client in any more whose CA was taken out, with a session of before neither", async () => {
    for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
      await using place = await open({ clientcas: ["set below"] });
      const { cert, key } = await place.ours.sign("client");
      const options = { cert, key, maxVersion };
      const session = await sessionOf(place.api, options);
      assert.equal(await isServed(place.api, { ...options, session }), true, "resumed");
      await copyFile(place.theirs.path, place.folder.join("cas"));
      place.tls.look();
      assert.equal(await isServed(place.api, { ...options, session }), false, maxVersion);
      assert.equal(await isServed(place.api, options), false);
      const other = await place.theirs.sign("other");
      assert.equal(await isServed(place.api, { cert: other.cert, key: other.key, maxVersion }), true);
    }
  });
});

async function sessionOf(api: Api, options: ConnectionOptions): Promise<Buffer> {
  const socket: TLSSocket = connect({ port: api.port, host: "127.0.0.1", rejectUnauthorized: false, ...options });
  const session = new Promise<Buffer>((resolve) => socket.once("session", resolve));
  socket.write("GET /v2/ HTTP/1.1\r\nHost: a\r\n\r\n");
  const made = await session;
  socket.destroy();
  return made;
}

function isServed(api: Api, options: ConnectionOptions): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const asked = request(`${api.origin}/v2/`, { ...options, rejectUnauthorized: false, agent: false }, (answer) => {
    answer.resume();
    resolve(answer.statusCode === 200);
  });
  asked.on("error", () => resolve(false)).end();
  return promise;
}
