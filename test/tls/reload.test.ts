/** Certificates, keys and client CAs that change while the registry serves. */
import assert from "node:assert/strict";
import fs from "node:fs";
import { copyFile, mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { syncBuiltinESMExports } from "node:module";
import { describe, mock, test } from "node:test";
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
  /** ms since 1970 */
  readonly clock: { now: number };
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
  const clock = { now: Date.now() + HOUR }; // when every certificate of the test is valid
  const note = (line: string): void => void log.push(line);
  const config: TlsConfig = { ...DEFAULTS, certificate, key, ...over };
  const cas = over.clientcas ? { clientcas: [folder.join("cas")] } : {};
  if (over.clientcas) await copyFile(ours.path, folder.join("cas"));
  const tls = stack.use(new FileTls({ ...config, ...cas }, { info: note, warn: note, error: note }, () => clock.now));
  const api = stack.use(await startApi(new MemoryDriver(), { protocol: "tls", tls }));
  const owned = stack.move();
  const place: Place = {
    ...{ folder, api, tls, log, ours, theirs, clock },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
  return place;
}

/** ms */
const HOUR = 3_600_000;

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

  test("that could not be read for a while count once they can, though they did not change again", async () => {
    await using place = await open();
    const { tls, log, api, ours } = place;
    await replace(place, await ours.sign("second"));
    for (const code of ["EMFILE", "EMFILE", "EIO", "EMFILE"]) withoutReading(code, () => tls.look());
    assert.deepEqual(
      log.map((line) => /cannot be read: (.*)$/.exec(line)?.[1]),
      ["EMFILE", "EIO", "EMFILE"],
    );
    assert.equal(await shownBy(api), "first");
    tls.look();
    assert.equal(await shownBy(api), "second");
    assert.match(log.at(-1) ?? "", /were read again/);
    tls.look();
    assert.equal(log.length, 4);
  });

  test("are found where a link to their folder is set anew, as Kubernetes mounts secrets", async () => {
    await using place = await open();
    const { folder, tls, api, ours, log } = place;
    const put = async (version: string): Promise<void> => {
      const { certPath, keyPath } = await ours.sign(version);
      await mkdir(folder.join(`..${version}`));
      await copyFile(certPath, folder.join(`..${version}`, "cert"));
      await copyFile(keyPath, folder.join(`..${version}`, "key"));
      await symlink(`..${version}`, folder.join("..data_tmp"));
      await rename(folder.join("..data_tmp"), folder.join("..data"));
    };
    await put("v1");
    for (const name of ["cert", "key"]) {
      await rm(folder.join(name));
      await symlink(`..data/${name}`, folder.join(name));
    }
    tls.look();
    assert.equal(await shownBy(api), "v1");
    await put("v2");
    await rm(folder.join("..v1"), { recursive: true });
    tls.look();
    assert.equal(await shownBy(api), "v2");
    await rm(folder.join("..data"));
    tls.look();
    assert.equal(await shownBy(api), "v2");
    assert.match(log.at(-1) ?? "", /those of before stay: http\.tls\.certificate: cannot be read: ENOENT/);
    await put("v3");
    tls.look();
    assert.equal(await shownBy(api), "v3");
  });

  test("are warned of once before the certificate ends, once when it has ended, and no more when it is renewed", async () => {
    await using place = await open();
    const { clock, tls, log } = place;
    const look = (hours: number): number => {
      clock.now += hours * HOUR;
      tls.look();
      tls.look();
      return log.length;
    };
    assert.deepEqual([look(40), look(4), look(1), look(10), look(1)], [0, 1, 1, 2, 2]);
    assert.match(log[0] ?? "", /^http\.tls: the certificate is valid until \S+Z only$/);
    assert.match(log[1] ?? "", /^http\.tls: the certificate was valid until \S+Z, and clients refuse it now$/);
    await replace(place, await place.ours.sign("second"));
    clock.now = Date.now();
    assert.equal(look(0), 3);
    assert.match(log[2] ?? "", /were read again/);
    clock.now -= 24 * HOUR;
    assert.equal(look(0), 4);
    assert.match(log[3] ?? "", /is not valid before/);
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
      const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
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

/** Calls `work` while no file's content can be had. */
function withoutReading(code: string, work: () => void): void {
  const reading = mock.method(fs, "readFileSync", () => {
    throw new Error(code);
  });
  syncBuiltinESMExports();
  work();
  reading.mock.restore();
  syncBuiltinESMExports();
}

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
