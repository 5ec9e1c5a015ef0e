import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { contentOf, imageOf, layerOfArchive, noise } from "../support/image.ts";
import { type RegistryProcess, startRegistry } from "../support/registry-process.ts";
import { KIB, MIB } from "./form.ts";
import { smallDisk } from "./small-disk.ts";
import { clientOf, expectError, sizeOf } from "./uploads.ts";

const FULL = /the registry's storage is full/;
const small = imageOf([layerOfArchive(noise(100 * KIB, 1), "none")]);
const blob = contentOf(noise(3 * MIB + 5, 2), "application/octet-stream");
const { digest } = blob.descriptor;

describe("a full disk", { skip: process.getuid?.() !== 0 && "only root can mount a small disk" }, () => {
  test("refuses an upload with a clear 503, goes on reading, and takes the rest of it when there is room", async (t) => {
    await using disk = await openFullDisk();
    if (disk === undefined) return t.skip("a small disk cannot be mounted here");
    const http = clientOf(disk.registry);
    const upload = await http.startUpload("full");
    await expectError(
      await http.at(upload, { method: "PATCH", body: Buffer.from(blob.bytes) }),
      503,
      "UNAVAILABLE",
      FULL,
    );
    await http.expectImage("read", "tag", small);

    await disk.makeRoom();
    const stands = await http.uploadStatus(upload);
    const size = sizeOf(stands);
    assert.ok(size > 0 && size < blob.bytes.length, `${size} bytes arrived`);
    await http.finishUpload(stands, digest, blob.bytes.subarray(size));
    await http.expectBlob("full", blob);
  });

  test("takes the upload from its beginning when there is room", async (t) => {
    await using disk = await openFullDisk();
    if (disk === undefined) return t.skip("a small disk cannot be mounted here");
    const http = clientOf(disk.registry);
    const upload = await http.startUpload("full");
    await expectError(await http.tryFinish(upload, digest, blob.bytes), 503, "UNAVAILABLE", FULL);
    await disk.makeRoom();
    assert.equal((await http.at(await http.uploadStatus(upload), { method: "DELETE" })).status, 204);
    await http.pushBlob("full", blob);
    await http.expectBlob("full", blob);
  });

  test("refuses a blob in one request, a session and a manifest, and takes each when there is room", async (t) => {
    await using disk = await openFullDisk(0);
    if (disk === undefined) return t.skip("a small disk cannot be mounted here");
    const http = clientOf(disk.registry);
    const whole = (): Promise<Response> =>
      http.request(`full/blobs/uploads/?digest=${digest}`, { method: "POST", body: Buffer.from(blob.bytes) });
    const manifest = (): Promise<Response> =>
      http.request("read/manifests/other", {
        method: "PUT",
        headers: { "Content-Type": small.manifest.descriptor.mediaType },
        body: Buffer.concat([small.manifest.bytes, Buffer.from(" ".repeat(9 * KIB))]),
      });
    await expectError(await whole(), 503, "UNAVAILABLE", FULL);
    await expectError(await http.request("full/blobs/uploads/", { method: "POST" }), 503, "UNAVAILABLE", FULL);
    await expectError(await manifest(), 503, "UNAVAILABLE", FULL);
    assert.deepEqual(await http.tags("read"), ["tag"]);
    await http.expectImage("read", "tag", small);

    await disk.makeRoom();
    assert.equal((await whole()).status, 201);
    assert.equal((await manifest()).status, 201);
    await http.startUpload("full");
    await http.expectBlob("full", blob);
    assert.deepEqual(await http.tags("read"), ["other", "tag"]);
  });
});

interface FullDisk extends AsyncDisposable {
  readonly registry: RegistryProcess;
  makeRoom(): Promise<void>;
}

/** A registry with the small image and room for `free` more bytes. */
async function openFullDisk(free: number = MIB): Promise<FullDisk | undefined> {
  await using stack = new AsyncDisposableStack();
  const disk = await smallDisk(8 * MIB);
  if (disk === undefined) return undefined;
  stack.use(disk);
  const registry = stack.use(await startRegistry("wharfinger", { rootDirectory: disk.path }));
  await clientOf(registry).push("read", "tag", small);
  const filler = join(disk.path, "filler");
  await fill(filler, free);
  const end = stack.move();
  return { registry, makeRoom: () => rm(filler), [Symbol.asyncDispose]: () => end.disposeAsync() };
}

/** Fills the disk to the last page, then leaves `free` bytes. */
async function fill(file: string, free: number): Promise<void> {
  let size = 0;
  for (let step = MIB; step >= 4 * KIB; ) {
    try {
      await writeFile(file, Buffer.alloc(step), { flag: "a" });
      size += step;
    } catch {
      step /= 2;
    }
  }
  if (free > 0) await writeFile(file, Buffer.alloc(size - free));
}
