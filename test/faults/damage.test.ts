import assert from "node:assert/strict";
import { readFile, truncate, writeFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { contentOf, imageOf, layerOfArchive, noise } from "../support/image.ts";
import type { RegistryClient } from "../support/registry-client.ts";
import { type RegistryProcess, startRegistry } from "../support/registry-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { KIB, MIB } from "./form.ts";
import { StoredFiles } from "./stored-files.ts";
import { until } from "./until.ts";
import { clientOf, expectError } from "./uploads.ts";
import { lengthOf, Wire } from "./wire.ts";

const image = imageOf([layerOfArchive(noise(100 * KIB, 1), "none")]);
const { digest, mediaType } = image.manifest.descriptor;
const layer = image.blobs[1] ?? image.manifest;

describe("damage in the storage", () => {
  test("a blob that became shorter while it is sent ends in a broken connection", async () => {
    await using place = await openPlace();
    const long = contentOf(noise(64 * MIB, 2), "application/octet-stream");
    await place.http.pushBlob("damaged", long);
    using wire = await Wire.open(place.registry.port);
    await wire.ask("GET", `/v2/damaged/blobs/${long.descriptor.digest}`);
    assert.equal(lengthOf(await wire.head()), long.bytes.length);
    await truncate(place.files.blob(long.descriptor.digest), 40 * MIB);
    const received = await wire.rest();
    assert.ok(received.length <= 40 * MIB);
    assert.equal(Buffer.compare(received, long.bytes.subarray(0, received.length)), 0);
    await until("the operator was told", () => place.registry.log.includes("could not be sent whole"));
  });

  for (const length of [0, 10]) {
    test(`a blob of which ${length} bytes are left is mended by a push`, async () => {
      await using place = await openPlace();
      await place.http.push("damaged", "tag", image);
      await truncate(place.files.blob(layer.descriptor.digest), length);
      await place.http.pushBlob("damaged", layer);
      await place.http.expectImage("damaged", "tag", image);
    });
  }

  test("a blob without its bytes is not there, so that clients push it again", async () => {
    await using place = await openPlace();
    await place.http.push("damaged", "tag", image);
    await truncate(place.files.blob(layer.descriptor.digest), 0);
    assert.equal(await place.http.statusOf("damaged", "blobs", layer.descriptor.digest), 404);
    const empty = contentOf(new Uint8Array(), "application/octet-stream");
    await place.http.pushBlob("damaged", empty);
    assert.equal(await place.http.statusOf("damaged", "blobs", empty.descriptor.digest), 200);
  });

  test("a damaged manifest is not served, and a push mends it", async () => {
    for (const damage of [damageByte, (file: string) => truncate(file, 20), (file: string) => truncate(file, 0)]) {
      await using place = await openPlace(); // another one would serve the right bytes, which it has seen
      await place.http.push("damaged", "tag", image);
      await damage(place.files.blob(digest));
      for (const reference of ["tag", digest]) {
        const answer = await place.http.getManifest("damaged", reference, mediaType);
        await expectError(answer, 500, "UNKNOWN", /the stored manifest is damaged; push it again/);
        assert.equal(await place.http.statusOf("damaged", "manifests", reference), 500);
      }
      await place.http.putManifest("damaged", "tag", image.manifest);
      await place.http.expectImage("damaged", "tag", image);
    }
  });

  test("links without a digest count as absent, and a push mends them", async () => {
    await using place = await openPlace();
    await place.http.push("damaged", "tag", image);
    const { files, http } = place;
    await truncate(files.tagLink("damaged", "tag"), 0);
    assert.deepEqual(await http.tags("damaged"), []);
    assert.equal(await http.statusOf("damaged", "manifests", "tag"), 404);
    assert.equal(await http.statusOf("damaged", "manifests", digest), 200);
    await truncate(files.revisionLink("damaged", digest), 0);
    assert.equal(await http.statusOf("damaged", "manifests", digest), 404);
    await truncate(files.layerLink("damaged", layer.descriptor.digest), 0);
    assert.equal(await http.statusOf("damaged", "blobs", layer.descriptor.digest), 404);
    await http.push("damaged", "tag", image);
    await http.expectImage("damaged", "tag", image);
    assert.deepEqual(await http.tags("damaged"), ["tag"]);
  });

  test("bytes of an upload that changed between PATCH and PUT are not committed", async () => {
    await using place = await openPlace();
    const upload = await place.http.append(await place.http.startUpload("damaged"), layer.bytes);
    const file = place.files.uploadData("damaged", idOf(upload.location));
    await damageByte(file);
    const answer = await place.http.tryFinish(upload, layer.descriptor.digest);
    await expectError(answer, 400, "DIGEST_INVALID", /the uploaded bytes have sha256:/);
    await truncate(file, 1000);
    const shorter = await place.http.tryFinish(upload, layer.descriptor.digest);
    await expectError(shorter, 416, "RANGE_INVALID", /the upload has 1000 bytes/);
    assert.equal(await place.http.statusOf("damaged", "blobs", layer.descriptor.digest), 404);
  });
});

async function damageByte(file: string): Promise<void> {
  const bytes = await readFile(file);
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  await writeFile(file, bytes);
}

/** Of the upload at this location. */
function idOf(location: string): string {
  return new URL(location, "http://registry").pathname.split("/").at(-1) ?? "";
}

interface Place extends AsyncDisposable {
  readonly registry: RegistryProcess;
  readonly http: RegistryClient;
  readonly files: StoredFiles;
}

async function openPlace(): Promise<Place> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder("damage"));
  const registry = stack.use(await startRegistry("wharfinger", { rootDirectory: folder.path }));
  const end = stack.move();
  const files = new StoredFiles(folder.path);
  return { registry, http: clientOf(registry), files, [Symbol.asyncDispose]: () => end.disposeAsync() };
}
