import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { MediaType } from "../../src/oci/media-types.ts";
import { parseRepositoryName, parseTag } from "../../src/oci/names.ts";
import { PathMapper } from "../../src/registry/paths.ts";
import { MemoryDriver } from "../../src/storage/memory.ts";
import { type Api, startApi } from "../support/api.ts";
import { descriptorOf, imageDocument, noise, pushBlob, pushImage, putManifest } from "../support/api-content.ts";
import { inForm, KIB, MIB } from "./form.ts";
import { ServedRequests } from "./served-requests.ts";
import { until } from "./until.ts";
import { lengthOf, requestText, Wire } from "./wire.ts";

const PATHS = new PathMapper();

/** ms */
const STALL = 200;
/** Answers of this many bytes are more than the kernel's buffers hold. */
const MUCH = 24 * MIB;

describe("a client that does not read", () => {
  for (const [what, prepare] of Object.entries({
    "a manifest": longManifest,
    tags: longTags,
    referrers: longReferrers,
  })) {
    test(`${what} it asked for is dropped`, async () => {
      await using driver = new MemoryDriver();
      await using api = await startApi(driver, { stall: STALL });
      const path = await prepare(api, driver);
      const { length } = (await api.send("GET", path)).body;
      using served = new ServedRequests();
      using wire = await Wire.open(api.port);
      await wire.send(requestText("GET", path).repeat(Math.ceil(MUCH / length)));
      await until("it was dropped", () => served.total > 0 && served.connections === 0);
      assert.ok((await wire.rest()).length < MUCH);
    });
  }
});

describe("a client that reads slowly and steadily", () => {
  // In all slower than the limit. Not in too small steps: the kernel tells of its progress a third of a buffer at a time.
  const stall = 3 * STALL;
  const [steps, pace] = [inForm(10, 40), 70];

  test("gets its blob to the end", async () => {
    await using api = await startApi(new MemoryDriver(), { stall });
    const digest = await pushBlob(api, "a", noise(16 * MIB));
    using wire = await Wire.open(api.port);
    await wire.ask("GET", `/v2/a/blobs/${digest}`);
    await readSlowly(wire, lengthOf(await wire.head()), steps, pace);
  });

  test("gets its manifests to the end", async () => {
    await using api = await startApi(new MemoryDriver(), { stall });
    const path = await longManifest(api);
    using wire = await Wire.open(api.port);
    await wire.send(requestText("GET", path).repeat(4));
    for (let i = 0; i < 4; i += 1) await readSlowly(wire, lengthOf(await wire.head()), 3, pace);
  });
});

test("a connection that has nothing more to ask is closed after the time for that", async () => {
  await using api = await startApi(new MemoryDriver(), { timeouts: { header: 10_000, idle: 100 } });
  using wire = await Wire.open(api.port);
  await wire.ask("GET", "/v2/");
  assert.equal((await wire.answer()).status, 200);
  assert.equal((await wire.rest()).length, 0);
});

test("a client that waits for the storage is not dropped, however long that takes", async () => {
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const driver = new (class extends MemoryDriver {
    override async getContent(path: string): Promise<Uint8Array> {
      await gate;
      return await super.getContent(path);
    }
  })();
  await using api = await startApi(driver, { stall: 50 });
  using wire = await Wire.open(api.port);
  await wire.ask("GET", "/v2/a/manifests/tag");
  await pause(300);
  open();
  assert.equal((await wire.answer()).status, 404);
});

async function readSlowly(wire: Wire, length: number, steps: number, ms: number): Promise<void> {
  for (let step = 0; step < steps; step += 1) {
    await pause(ms);
    await wire.bytes(Math.floor(((step + 1) * length) / steps) - Math.floor((step * length) / steps));
  }
}

async function longManifest(api: Api): Promise<string> {
  const document = await imageDocument(api, "a", { extra: { annotations: { long: "x".repeat(4 * MIB - 2 * KIB) } } });
  assert.equal((await putManifest(api, "a", "long", document, MediaType.ociManifest)).status, 201);
  return "/v2/a/manifests/long";
}

async function longTags(api: Api, driver: MemoryDriver): Promise<string> {
  const { digest } = await pushImage(api, "a");
  for (let i = 0; i < 4_000; i += 1) {
    const tag = parseTag(`${i}-${"t".repeat(120)}`);
    await driver.putContent(PATHS.tagCurrent(parseRepositoryName("a"), tag), Buffer.from(digest));
  }
  return "/v2/a/tags/list";
}

async function longReferrers(api: Api): Promise<string> {
  const subject = await pushImage(api, "a");
  const annotations = { long: "x".repeat(3 * MIB) };
  await pushImage(api, "a", { extra: { subject: descriptorOf(subject), annotations } });
  return `/v2/a/referrers/${subject.digest}`;
}
