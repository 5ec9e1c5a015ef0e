import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Stream, constants } from "node:http2";
import { describe, test } from "node:test";
import { Authority } from "../support/authority.ts";
import { Http2Client } from "../support/http2-client.ts";
import { type Configuration, type RegistryProcess, startRegistry } from "../support/registry-process.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { expectFilled, type FilledBlob, pushFilledBlobs } from "./blobs-of-bytes.ts";
import { inForm, MIB } from "./form.ts";
import { descriptorsOf, peakOf, WITHOUT_FIGURES } from "./process-figures.ts";
import { Seeded } from "./seeded.ts";
import { until } from "./until.ts";
import { lengthOf, requestText, Wire } from "./wire.ts";

const READERS = inForm(200, 1_000);
/** Connections at a time. */
const AT_ONCE = 50;
const PEAK = 300 * MIB;

describe("sending blobs", { skip: WITHOUT_FIGURES }, () => {
  for (const encrypted of [false, true]) {
    const how = encrypted ? "over TLS" : "without encryption";
    test(`${how} gives ${READERS} aborting, pipelining and stalled readers only bytes they asked for`, async (t) => {
      await using folder = await temporaryFolder("sending");
      const { registry: opened, blobs } = await serveFilled(folder, encrypted ? await tlsOf(folder) : {});
      await using registry = opened;
      const open = (): Promise<Wire> => (encrypted ? Wire.openEncrypted(registry.port) : Wire.open(registry.port));
      await readAll(open, blobs);
      const before = descriptorsOf(registry.pid);
      const random = new Seeded(2);
      const stalled: Wire[] = [];
      const readers = Array.from({ length: READERS }, () => newReader(random, blobs, stalled));
      await inLanes(readers, (reader) => reader(open));
      for (const wire of stalled) wire[Symbol.dispose]();
      await until("the descriptors were closed", () => descriptorsOf(registry.pid) <= before + 1);
      await readAll(open, blobs);
      const peak = peakOf(registry.pid);
      t.diagnostic(`${Math.round(peak / MIB)} MiB, ${stalled.length} stalled`);
      assert.ok(peak < PEAK, `${peak} bytes`);
    });
  }

  for (const encrypted of [false, true]) {
    const how = encrypted ? "over TLS" : "without encryption";
    test(`${how} gives ${READERS} readers of HTTP/2 only bytes they asked for, side by side, whoever aborts or stalls`, async (t) => {
      await using folder = await temporaryFolder("sending");
      const http = encrypted ? await tlsOf(folder) : { h2c: { enabled: true } };
      const { registry: opened, blobs } = await serveFilled(folder, http);
      await using registry = opened;
      const origin = `${encrypted ? "https" : "http"}://${registry.host}`;
      const before = descriptorsOf(registry.pid);
      const random = new Seeded(4);
      const stalled: Http2Client[] = [];
      const readers = Array.from({ length: READERS / 4 }, () => newSession(random, blobs, stalled));
      await inLanes(readers, (reader) => reader(origin));
      for (const client of stalled) client[Symbol.dispose]();
      await until("the descriptors were closed", () => descriptorsOf(registry.pid) <= before + 1);
      using client = await Http2Client.open(origin);
      for (const blob of blobs) await readStream(client, { method: "GET", blob });
      const peak = peakOf(registry.pid);
      t.diagnostic(`${Math.round(peak / MIB)} MiB, ${stalled.length} stalled`);
      assert.ok(peak < PEAK, `${peak} bytes`);
    });
  }

  test("answers ranges, HEADs and GETs that are pipelined on one connection in their order", async () => {
    await using folder = await temporaryFolder("sending");
    await using registry = await startRegistry("wharfinger", { rootDirectory: folder.path });
    const blobs = await pushFilledBlobs(registry.url, "filled");
    const random = new Seeded(3);
    const asked = Array.from({ length: inForm(300, 2_000) }, () => newAsk(random, blobs));
    using wire = await Wire.open(registry.port);
    const sent = wire.send(asked.map(textOf).join(""));
    for (const ask of asked) await expectAnswer(wire, ask);
    assert.ok(await sent);
  });

  test("opens no more than one blob for each connection, however many requests are pipelined", async (t) => {
    await using folder = await temporaryFolder("sending");
    await using registry = await startRegistry("wharfinger", { rootDirectory: folder.path });
    const largest = (await pushFilledBlobs(registry.url, "filled")).at(-1);
    assert.ok(largest);
    const before = descriptorsOf(registry.pid);
    const wires = await Promise.all(Array.from({ length: 20 }, () => Wire.open(registry.port)));
    const asks = requestText("GET", largest.path).repeat(200);
    await Promise.all(wires.map((wire) => wire.send(asks)));
    await Promise.all(wires.map((wire) => wire.head()));
    const during = descriptorsOf(registry.pid);
    t.diagnostic(`${before} descriptors before, ${during} during, ${Math.round(peakOf(registry.pid) / MIB)} MiB`);
    for (const wire of wires) wire[Symbol.dispose]();
    await until("the descriptors were closed", () => descriptorsOf(registry.pid) <= before + 1);
    assert.ok(during <= before + 2 * wires.length + 1, `${before} descriptors before, ${during} during`);
    assert.ok(peakOf(registry.pid) < PEAK);
  });
});

/** Pushed without encryption, before a registry serves the same directory as `http` says. */
async function serveFilled(
  folder: TemporaryFolder,
  http: Configuration,
): Promise<{ readonly registry: RegistryProcess; readonly blobs: FilledBlob[] }> {
  const rootDirectory = folder.join("data");
  await using plain = await startRegistry("wharfinger", { rootDirectory });
  const blobs = await pushFilledBlobs(plain.url, "filled");
  return { blobs, registry: await startRegistry("wharfinger", { rootDirectory, configuration: { http } }) };
}

async function tlsOf(folder: TemporaryFolder): Promise<Configuration> {
  const { certPath, keyPath } = await (await Authority.make(folder, "ca")).sign("server");
  return { tls: { certificate: certPath, key: keyPath } };
}

type Session = (origin: string) => Promise<void>;

/** Some requests side by side on one connection: all read, some cut off, or none read until the end of the test. */
function newSession(random: Seeded, blobs: readonly FilledBlob[], stalled: Http2Client[]): Session {
  const asked = Array.from({ length: random.whole(1, 12) }, () => newAsk(random, blobs));
  const cuts = asked.map(() => random.whole(0, 8 * MIB));
  const window = random.pick([65_535, MIB, 8 * MIB]);
  return random.pick([
    async (origin: string) => {
      using client = await Http2Client.open(origin, window);
      await Promise.all(asked.map((ask) => readStream(client, ask)));
    },
    async (origin: string) => {
      using client = await Http2Client.open(origin, window);
      await Promise.all(asked.map((ask, index) => readStream(client, ask, index % 2 === 0 ? cuts[index] : undefined)));
    },
    async (origin: string) => {
      using client = await Http2Client.open(origin, window);
      const [first, ...others] = asked.map((ask, index) => readStream(client, ask, cuts[index]));
      for (const other of others) other.catch(() => undefined); // broken off with the connection
      await first;
    },
    async (origin: string) => {
      const client = await Http2Client.open(origin, window);
      stalled.push(client);
      await Promise.all(asked.map((ask) => once(request(client, ask), "response")));
    },
  ]);
}

function request(client: Http2Client, { method, blob, range }: Ask): ClientHttp2Stream {
  const headers = range && { range: `bytes=${range.start}-${range.start + range.length - 1}` };
  return client.request(method, blob.path, headers);
}

/** @param most bytes after which the stream is reset */
async function readStream(client: Http2Client, ask: Ask, most: number = Number.POSITIVE_INFINITY): Promise<void> {
  const { method, blob, range } = ask;
  const stream = request(client, ask);
  const [head] = await once(stream, "response");
  const isPart = range !== undefined && method === "GET";
  assert.equal(head[":status"], isPart ? 206 : 200);
  let length = 0;
  for await (const part of stream) {
    expectFilled(part as Buffer, blob, (part as Buffer).length);
    length += (part as Buffer).length;
    if (length > most) return stream.close(constants.NGHTTP2_CANCEL);
  }
  if (method === "GET") assert.equal(length, isPart ? range.length : blob.size);
}

type Opener = () => Promise<Wire>;
type Reader = (open: Opener) => Promise<void>;

function newReader(random: Seeded, blobs: readonly FilledBlob[], stalled: Wire[]): Reader {
  const asked = Array.from({ length: random.whole(1, 6) }, () => newAsk(random, blobs));
  const cut = random.whole(0, 8 * MIB);
  return random.pick([
    (open: Opener) => readInTurn(open, asked),
    (open: Opener) => readPipelined(open, asked),
    (open: Opener) => abort(open, asked, cut),
    (open: Opener) => abortUnread(open, asked),
    (open: Opener) => stall(open, asked, stalled),
  ]);
}

async function readInTurn(open: Opener, asked: readonly Ask[]): Promise<void> {
  using wire = await open();
  for (const ask of asked) {
    await wire.send(textOf(ask));
    await expectAnswer(wire, ask);
  }
}

async function readPipelined(open: Opener, asked: readonly Ask[]): Promise<void> {
  using wire = await open();
  await wire.send(asked.map(textOf).join(""));
  for (const ask of asked) await expectAnswer(wire, ask);
}

/** Leaves within the first answer, after at most `cut` bytes of its body. */
async function abort(open: Opener, asked: readonly Ask[], cut: number): Promise<void> {
  using wire = await open();
  await wire.send(asked.map(textOf).join(""));
  const [first] = asked;
  if (first) await expectAnswer(wire, first, cut);
}

async function abortUnread(open: Opener, asked: readonly Ask[]): Promise<void> {
  using wire = await open();
  await wire.send(asked.map(textOf).join(""));
}

/** Stops reading while the server wants to send, and is there until the end of the test. */
async function stall(open: Opener, asked: readonly Ask[], stalled: Wire[]): Promise<void> {
  const wire = await open();
  stalled.push(wire);
  await wire.send(asked.map(textOf).join(""));
  await wire.head();
}

interface Ask {
  readonly method: "GET" | "HEAD";
  readonly blob: FilledBlob;
  readonly range?: { readonly start: number; readonly length: number };
}

function newAsk(random: Seeded, blobs: readonly FilledBlob[]): Ask {
  const blob = random.pick(blobs);
  const method = random.chance(0.2) ? "HEAD" : "GET";
  if (random.chance(0.6)) return { method, blob };
  const start = random.whole(0, blob.size);
  return { method, blob, range: { start, length: random.whole(1, blob.size - start + 1) } };
}

function textOf({ method, blob, range }: Ask): string {
  const fields = range ? [`Range: bytes=${range.start}-${range.start + range.length - 1}`] : [];
  return requestText(method, blob.path, ...fields);
}

/** @param most bytes of the body that are read */
async function expectAnswer(wire: Wire, { method, blob, range }: Ask, most: number = Infinity): Promise<void> {
  const head = await wire.head();
  const isPart = range !== undefined && method === "GET";
  const length = isPart ? range.length : blob.size;
  assert.equal(head.status, isPart ? 206 : 200);
  assert.equal(lengthOf(head), length);
  if (method === "HEAD") return;
  const read = Math.min(most, length);
  expectFilled(await wire.bytes(read), blob, read);
}

async function readAll(open: Opener, blobs: readonly FilledBlob[]): Promise<void> {
  await readInTurn(
    open,
    blobs.map((blob) => ({ method: "GET", blob })),
  );
}

async function inLanes<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  const lane = async (): Promise<void> => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}
