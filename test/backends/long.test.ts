import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { after, before, describe, test } from "node:test";
import { inForm, MIB } from "../faults/form.ts";
import { digestOfRest, LongBlobs, pushLongBlob } from "../faults/long-blob.ts";
import { peakOf, WITHOUT_FIGURES } from "../faults/process-figures.ts";
import { lengthOf, Wire } from "../faults/wire.ts";
import { openRegistryOn, type RunningRegistry } from "../support/swap.ts";
import { type Gateway, startGateway, unlessGateway } from "../support/versitygw.ts";

const MOST_MEMORY = 300 * MIB;
const GIB = 1024 * MIB;
/** The gateway keeps the parts of an object, the object and its copy for a moment. */
const DISK_PER_BYTE = 4;

describe("over S3", { skip: unlessGateway() || WITHOUT_FIGURES }, () => {
  const together = new LongBlobs(inForm(16, 100) * MIB);
  const long = new LongBlobs(inForm(68, 10.5 * 1024) * MIB);
  /** Where the other process goes on. Behind it lies a part shorter than S3 takes but at the end. */
  const cut = inForm(42, 5.5 * 1024) * MIB;
  let gateway: Gateway;
  before(async () => {
    gateway = await startGateway();
  });
  after(() => gateway[Symbol.asyncDispose]());

  const open = (root: string): Promise<RunningRegistry> =>
    openRegistryOn("wharfinger", gateway.parameters({ rootdirectory: root }));

  test(`32 uploads of ${together.size / MIB} MiB at once take less than 300 MiB of memory`, async () => {
    await using registry = await open(randomUUID());
    const digests = together.digests(32);
    const pushes = digests.map(async (digest, number) => {
      await pushLongBlob(registry.process.port, together, number, digest);
      console.log(`upload ${number} of 32 is done`);
    });
    await Promise.all(pushes);
    expectFrugal(registry);
    for (const digest of digests) assert.equal(await registry.http.statusOf("long", "blobs", digest), 200);
  });

  test(`an upload of ${long.size / MIB} MiB that one process begins and another ends is whole, and takes as little`, async (t) => {
    const { bavail, bsize } = await statfs(tmpdir());
    if (bavail * bsize < DISK_PER_BYTE * long.size) return t.skip("there is not enough room on the disk");
    const root = randomUUID();
    await using first = await open(root);
    await using second = await open(root);
    const [digest = ""] = long.digests(1);
    const begun = await appendTo(first, await startOn(first), long, 0, cut);
    const whole = await appendTo(second, begun, long, cut, long.size);
    await finishOn(second, whole, digest);
    assert.equal(await digestFrom(first, digest, long.size), digest);
    for (const registry of [first, second]) expectFrugal(registry);
  });
});

function expectFrugal({ process }: RunningRegistry): void {
  const peak = peakOf(process.pid);
  console.log(`${Math.round(peak / MIB)} MiB of memory at most`);
  assert.ok(peak < MOST_MEMORY, `${peak} bytes`);
}

async function startOn({ process }: RunningRegistry): Promise<string> {
  using wire = await Wire.open(process.port);
  await wire.ask("POST", "/v2/long/blobs/uploads/", "Content-Length: 0");
  return (await wire.answer()).headers.get("location") ?? "";
}

/** @returns where the upload goes on */
async function appendTo(
  { process }: RunningRegistry,
  location: string,
  blobs: LongBlobs,
  from: number,
  end: number,
): Promise<string> {
  using wire = await Wire.open(process.port);
  await wire.ask("PATCH", location, `Content-Length: ${end - from}`);
  for (let start = from; start < end; start += GIB) {
    await blobs.send(wire, 0, start, Math.min(end, start + GIB));
    console.log(`${Math.min(end, start + GIB) / MIB} of ${blobs.size / MIB} MiB are sent`);
  }
  const answer = await wire.answer();
  assert.equal(answer.status, 202, answer.body.toString());
  return answer.headers.get("location") ?? "";
}

async function finishOn({ process }: RunningRegistry, location: string, digest: string): Promise<void> {
  using wire = await Wire.open(process.port);
  await wire.ask("PUT", `${location}&digest=${digest}`, "Content-Length: 0");
  const answer = await wire.answer();
  assert.equal(answer.status, 201, answer.body.toString());
  console.log("the upload is a blob");
}

async function digestFrom({ process }: RunningRegistry, digest: string, size: number): Promise<string> {
  using wire = await Wire.open(process.port);
  await wire.ask("GET", `/v2/long/blobs/${digest}`);
  assert.equal(lengthOf(await wire.head()), size);
  return await digestOfRest(wire, size);
}
