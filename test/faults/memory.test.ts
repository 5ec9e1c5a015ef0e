import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MediaType } from "../../src/oci/media-types.ts";
import { imageOf } from "../support/image.ts";
import { RegistryClient } from "../support/registry-client.ts";
import { startRegistry } from "../support/registry-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { inForm, MIB } from "./form.ts";
import { digestOfRest, LongBlobs, pushLongBlob } from "./long-blob.ts";
import { peakOf, residentOf, WITHOUT_FIGURES } from "./process-figures.ts";
import { lengthOf, Wire } from "./wire.ts";

/** What the runtime takes for its heap at leisure, whatever it holds: 30 MiB in use were 85 MiB reserved. */
const GROWTH = inForm(40, 90) * MIB;

describe("the server's memory", { skip: WITHOUT_FIGURES }, () => {
  const together = new LongBlobs(inForm(16, 100) * MIB);
  const long = new LongBlobs(inForm(256, 2048) * MIB);
  const left = inForm(3_000, 100_000);
  const tiny = inForm(200_000, 2_000_000);

  test(`stays under 300 MiB while 32 uploads of ${together.size / MIB} MiB run at once`, async (t) => {
    await using folder = await temporaryFolder("memory");
    await using registry = await startRegistry("wharfinger", { rootDirectory: folder.path });
    const digests = together.digests(32);
    await Promise.all(digests.map((digest, number) => pushLongBlob(registry.port, together, number, digest)));
    const peak = peakOf(registry.pid);
    t.diagnostic(`${Math.round(peak / MIB)} MiB`);
    assert.ok(peak < 300 * MIB, `${peak} bytes`);
  });

  test(`stays under 200 MiB while a blob of ${long.size / MIB} MiB goes up and down`, async (t) => {
    await using folder = await temporaryFolder("memory");
    await using registry = await startRegistry("wharfinger", { rootDirectory: folder.path });
    const [digest] = long.digests(1);
    assert.ok(digest);
    await pushLongBlob(registry.port, long, 0, digest);
    using wire = await Wire.open(registry.port);
    await wire.ask("GET", `/v2/long/blobs/${digest}`);
    assert.equal(lengthOf(await wire.head()), long.size);
    assert.equal(await digestOfRest(wire, long.size), digest);
    const peak = peakOf(registry.pid);
    t.diagnostic(`${Math.round(peak / MIB)} MiB`);
    assert.ok(peak < 200 * MIB, `${peak} bytes`);
  });

  for (const [what, text, status] of [
    ["taken", indexOfSize(tiny), 201],
    ["refused", "x".repeat(tiny), 400],
  ] as const) {
    test(`does not grow with the chunks of a manifest that comes byte by byte and is ${what}`, async (t) => {
      await using folder = await temporaryFolder("memory");
      await using registry = await startRegistry("wharfinger", { rootDirectory: folder.path });
      const http = new RegistryClient(registry.url);
      await http.push("tiny", "before", imageOf([]));
      using wire = await Wire.open(registry.port);
      const before = peakOf(registry.pid);
      await wire.ask(
        "PUT",
        "/v2/tiny/manifests/tag",
        `Content-Type: ${MediaType.ociIndex}`,
        "Transfer-Encoding: chunked",
      );
      await wire.send(inChunksOfOne(text));
      assert.equal((await wire.answer()).status, status);
      const after = peakOf(registry.pid);
      t.diagnostic(`${Math.round(before / MIB)} MiB before, ${Math.round(after / MIB)} MiB after`);
      assert.ok(after < before + 60 * MIB, `${before} bytes before, ${after} after`);
    });
  }

  for (const kind of ["one repository", "as many repositories"] as const) {
    test(`does not grow with ${left} uploads opened and left in ${kind}`, async (t) => {
      await using folder = await temporaryFolder("memory");
      await using registry = await startRegistry("wharfinger", { rootDirectory: folder.path });
      const open = async (from: number, end: number): Promise<void> => {
        const lanes = Array.from({ length: 4 }, (_, lane) => openUploads(registry.port, kind, from + lane, end, 4));
        await Promise.all(lanes);
      };
      await open(0, 1_000);
      const before = residentOf(registry.pid);
      await open(1_000, left);
      const after = residentOf(registry.pid);
      t.diagnostic(`${Math.round(before / MIB)} MiB before, ${Math.round(after / MIB)} MiB after`);
      assert.ok(after < before + GROWTH, `${before} bytes before, ${after} after`);
      await new RegistryClient(registry.url).startUpload("still/works");
    });
  }
});

/** An index without manifests, in so many bytes. */
function indexOfSize(size: number): string {
  const [head, tail] = ['{"schemaVersion":2,"manifests":[],"annotations":{"long":"', '"}}'];
  return head + "x".repeat(size - head.length - tail.length) + tail;
}

function inChunksOfOne(text: string): Buffer {
  return Buffer.from(`${text.replaceAll(/./g, (byte) => `1\r\n${byte}\r\n`)}0\r\n\r\n`);
}

/** Opens every `step`-th upload from `from` to `end`, on one connection. */
async function openUploads(port: number, kind: string, from: number, end: number, step: number): Promise<void> {
  using wire = await Wire.open(port);
  for (let index = from; index < end; index += step) {
    const repository = kind === "one repository" ? "left" : `left/number-${index}`;
    await wire.ask("POST", `/v2/${repository}/blobs/uploads/?digest-algorithm=sha512`, "Content-Length: 0");
    assert.equal((await wire.answer()).status, 202);
  }
}
