import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { startRegistry } from "../support/registry-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
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
  test(`gives ${READERS} aborting, pipelining and stalled readers only bytes they asked for`, async (t) => {
    await using folder = await temporaryFolder("sending");
    await using registry = await startRegistry("wharfinger", { rootDirectory: folder.path });
    const blobs = await pushFilledBlobs(registry.url, "filled");
    await readAll(registry.port, blobs);
    const before = descriptorsOf(registry.pid);
    const random = new Seeded(2);
    const stalled: Wire[] = [];
    const readers = Array.from({ length: READERS }, () => newReader(random, blobs, stalled));
    await inLanes(readers, (reader) => reader(registry.port));
    for (const wire of stalled) wire[Symbol.dispose]();
    await until("the descriptors were closed", () => descriptorsOf(registry.pid) <= before + 1);
    await readAll(registry.port, blobs);
    const peak = peakOf(registry.pid);
    t.diagnostic(`${Math.round(peak / MIB)} MiB, ${stalled.length} stalled`);
    assert.ok(peak < PEAK, `${peak} bytes`);
  });

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

type Reader = (port: number) => Promise<void>;

function newReader(random: Seeded, blobs: readonly FilledBlob[], stalled: Wire[]): Reader {
  const asked = Array.from({ length: random.whole(1, 6) }, () => newAsk(random, blobs));
  const cut = random.whole(0, 8 * MIB);
  return random.pick([
    (port: number) => readInTurn(port, asked),
    (port: number) => readPipelined(port, asked),
    (port: number) => abort(port, asked, cut),
    (port: number) => abortUnread(port, asked),
    (port: number) => stall(port, asked, stalled),
  ]);
}

async function readInTurn(port: number, asked: readonly Ask[]): Promise<void> {
  using wire = await Wire.open(port);
  for (const ask of asked) {
    await wire.send(textOf(ask));
    await expectAnswer(wire, ask);
  }
}

async function readPipelined(port: number, asked: readonly Ask[]): Promise<void> {
  using wire = await Wire.open(port);
  await wire.send(asked.map(textOf).join(""));
  for (const ask of asked) await expectAnswer(wire, ask);
}

/** Leaves within the first answer, after at most `cut` bytes of its body. */
async function abort(port: number, asked: readonly Ask[], cut: number): Promise<void> {
  using wire = await Wire.open(port);
  await wire.send(asked.map(textOf).join(""));
  const [first] = asked;
  if (first) await expectAnswer(wire, first, cut);
}

async function abortUnread(port: number, asked: readonly Ask[]): Promise<void> {
  using wire = await Wire.open(port);
  await wire.send(asked.map(textOf).join(""));
}

/** Stops reading while the server wants to send, and is there until the end of the test. */
async function stall(port: number, asked: readonly Ask[], stalled: Wire[]): Promise<void> {
  const wire = await Wire.open(port);
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

async function readAll(port: number, blobs: readonly FilledBlob[]): Promise<void> {
  await readInTurn(
    port,
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
