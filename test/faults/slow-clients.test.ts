import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { contentOf, noise } from "../support/image.ts";
import type { Upload } from "../support/registry-client.ts";
import { type RegistryProcess, startRegistry } from "../support/registry-process.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { KIB, MIB } from "./form.ts";
import { descriptorsOf } from "./process-figures.ts";
import { until } from "./until.ts";
import { beginPatch, clientOf, expectError, sizeOf } from "./uploads.ts";
import { lengthOf, Wire } from "./wire.ts";

const blob = contentOf(noise(700 * KIB, 1), "application/octet-stream");
const { bytes, descriptor } = blob;
const HALF = 300 * KIB;

describe("slow and odd clients", () => {
  test("a connection that sends no request, or half of one, is dropped", async () => {
    await using place = await openPlace({ header: "200ms" });
    const [silent, half] = [await Wire.open(place.registry.port), await Wire.open(place.registry.port)];
    using _silent = silent;
    using _half = half;
    await half.send("GET /v2/ HTTP/1.1\r\nHost: x\r\nX-Slow:");
    const answers = await Promise.all([silent.rest(), half.rest()]);
    for (const answer of answers) assert.match(answer.toString(), /^(HTTP\/1\.1 408 |$)/);
    assert.deepEqual(await clientOf(place.registry).catalog(), []);
  });

  test("a connection that asks for nothing more is closed", async () => {
    await using place = await openPlace({ idle: "200ms" });
    using wire = await Wire.open(place.registry.port);
    await wire.send("GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n");
    assert.match((await wire.rest()).toString(), /^HTTP\/1\.1 200 /);
  });

  test("an upload that stalls is dropped, and goes on where its bytes ended", async () => {
    await using place = await openPlace({ body: "300ms" });
    const http = clientOf(place.registry);
    const upload = await http.startUpload("slow");
    using wire = await beginPatch(place.registry, upload, bytes.length, bytes.subarray(0, HALF));
    assert.equal((await wire.rest()).length, 0);
    await expectResumable(place.registry, upload);
  });

  test("a manifest that stalls is dropped and not stored", async () => {
    await using place = await openPlace({ body: "300ms" });
    using wire = await Wire.open(place.registry.port);
    await wire.ask("PUT", "/v2/slow/manifests/tag", "Content-Length: 1000");
    await wire.send('{"schemaVersion": 2');
    assert.equal((await wire.rest()).length, 0);
    assert.equal(await clientOf(place.registry).statusOf("slow", "manifests", "tag"), 404);
  });

  for (const length of ["Content-Length: 4000000", "Transfer-Encoding: chunked"]) {
    test(`a manifest that trickles in is dropped in the end (${length})`, async () => {
      await using place = await openPlace({ body: "200ms" });
      using wire = await Wire.open(place.registry.port);
      await wire.ask("PUT", "/v2/slow/manifests/tag", length);
      const piece = length.startsWith("Transfer") ? "1\r\n \r\n" : " ";
      const dropped = wire.rest();
      await until("it was dropped", async () => !(await wire.send(piece)) || (await isOver(dropped)));
      assert.equal((await dropped).length, 0);
    });
  }

  test("a client that was refused and then stalls within its body is dropped", async () => {
    await using place = await openPlace({ body: "300ms" });
    using wire = await Wire.open(place.registry.port);
    await wire.ask("PATCH", "/v2/slow/blobs/uploads/nothing", "Content-Length: 1000");
    await wire.send("some");
    assert.equal((await wire.answer()).status, 404);
    assert.equal((await wire.rest()).length, 0);
  });

  test("a client that was refused may send its body to the end, and ask again", async () => {
    await using place = await openPlace({});
    using wire = await Wire.open(place.registry.port);
    await wire.ask("PATCH", "/v2/slow/blobs/uploads/nothing", `Content-Length: ${16 * MIB}`);
    await wire.send(new Uint8Array(16 * MIB));
    assert.equal((await wire.answer()).status, 404);
    await wire.ask("GET", "/v2/");
    assert.equal((await wire.answer()).status, 200);
  });

  test("a reader that stalls is dropped, and its blob is closed", async () => {
    await using place = await openPlace({ body: "300ms" });
    const long = contentOf(noise(32 * MIB, 1), "application/octet-stream");
    await clientOf(place.registry).pushBlob("slow", long);
    const before = descriptorsOf(place.registry.pid);
    using wire = await Wire.open(place.registry.port);
    await wire.ask("GET", `/v2/slow/blobs/${long.descriptor.digest}`);
    const head = await wire.head();
    await until("the stalled reader was dropped", () => descriptorsOf(place.registry.pid) <= before);
    assert.equal(lengthOf(head), long.bytes.length);
    assert.ok((await wire.rest()).length < long.bytes.length);
  });

  test("a slow but steady writer and reader are served to the end", async () => {
    await using place = await openPlace({ body: "1s" });
    const http = clientOf(place.registry);
    const upload = await http.startUpload("slow");
    using writer = await beginPatch(place.registry, upload, bytes.length, bytes.subarray(0, 1));
    const steps = 10;
    for (let step = 0; step < steps; step += 1) {
      await pause(200); // slower altogether than the limit for standing still
      const [from, end] = [step, step + 1].map((n) => 1 + Math.floor((n * (bytes.length - 1)) / steps));
      await writer.send(bytes.subarray(from, end));
    }
    assert.equal((await writer.answer()).status, 202);
    await http.finishUpload(await http.uploadStatus(upload), descriptor.digest);

    const long = contentOf(noise(32 * MIB, 1), "application/octet-stream");
    await http.pushBlob("slow", long);
    using reader = await Wire.open(place.registry.port);
    await reader.ask("GET", `/v2/slow/blobs/${long.descriptor.digest}`);
    await reader.head();
    for (let left = long.bytes.length; left > 0; left -= 2 * MIB) {
      await pause(100);
      await reader.bytes(2 * MIB);
    }
  });

  test("a body that ends early leaves its bytes in the session", async () => {
    await using place = await openPlace({});
    const upload = await clientOf(place.registry).startUpload("short");
    using wire = await beginPatch(place.registry, upload, bytes.length, bytes.subarray(0, HALF));
    wire.socket.end();
    assert.match((await wire.rest()).toString(), /^(HTTP\/1\.1 400 |$)/);
    await expectResumable(place.registry, upload, 1);
  });

  test("what follows the announced end of a body is no part of the upload", async () => {
    await using place = await openPlace({});
    const http = clientOf(place.registry);
    const upload = await http.startUpload("long");
    using wire = await beginPatch(place.registry, upload, HALF, bytes.subarray(0, HALF + 100));
    assert.match((await wire.rest()).toString(), /^HTTP\/1\.1 (202|400) /);
    await expectResumable(place.registry, upload, 1);
  });

  test("a chunk that is longer than its Content-Range is refused, and the session goes on", async () => {
    await using place = await openPlace({});
    const http = clientOf(place.registry);
    const upload = await http.startUpload("long");
    const answer = await http.at(upload, {
      method: "PATCH",
      headers: { "Content-Range": `0-${HALF - 1}` },
      body: ReadableStream.from([bytes.subarray(0, HALF), bytes.subarray(HALF)]),
      duplex: "half",
    });
    await expectError(answer, 400, "SIZE_INVALID", /longer than/);
    const stands = await http.uploadStatus(upload);
    await http.finishUpload(stands, descriptor.digest, bytes.subarray(sizeOf(stands)));
    await http.expectBlob("long", blob);
  });

  test("a stalled upload gives way to the client that comes back", async () => {
    await using place = await openPlace({});
    const http = clientOf(place.registry);
    const upload = await http.startUpload("again");
    using stalled = await beginPatch(place.registry, upload, bytes.length, bytes.subarray(0, HALF));
    await until("its first block is stored", async () => sizeOf(await http.uploadStatus(upload)) > 0);
    const refused = await http.at(upload, { method: "PATCH", body: Buffer.from(bytes) });
    await expectError(refused, 416, "RANGE_INVALID", /./);
    await takeOver(place.registry, upload);
    assert.equal((await stalled.answer()).status, 416);
    await http.expectBlob("again", blob);
  });
});

/** Goes on where the session stands, as often as the stalled request's last bytes move it meanwhile. */
async function takeOver(registry: RegistryProcess, upload: Upload): Promise<void> {
  const http = clientOf(registry);
  await until("the upload was taken over", async () => {
    const stands = await http.uploadStatus(upload);
    const answer = await http.tryFinish(stands, descriptor.digest, bytes.subarray(sizeOf(stands)));
    await answer.text();
    assert.ok(answer.status === 201 || answer.status === 416, `${answer.status}`);
    return answer.status === 201;
  });
}

/** The session has at least `least` of the first {@link HALF} bytes, and the rest can follow. */
async function expectResumable(registry: RegistryProcess, upload: Upload, least: number = HALF): Promise<void> {
  const http = clientOf(registry);
  await until("its bytes are stored", async () => sizeOf(await http.uploadStatus(upload)) >= least);
  await takeOver(registry, upload);
  await http.expectBlob(upload.location.split("/")[2] ?? "", blob);
}

interface Place extends AsyncDisposable {
  readonly registry: RegistryProcess;
  readonly folder: TemporaryFolder;
}

async function openPlace(timeouts: Readonly<Record<string, string>>): Promise<Place> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder("slow"));
  const configuration = { wharfinger: { timeouts } };
  const registry = stack.use(await startRegistry("wharfinger", { rootDirectory: folder.path, configuration }));
  const end = stack.move();
  return { registry, folder, [Symbol.asyncDispose]: () => end.disposeAsync() };
}

async function isOver(work: Promise<unknown>): Promise<boolean> {
  return await Promise.race([work.then(() => true), pause(50, false)]);
}
