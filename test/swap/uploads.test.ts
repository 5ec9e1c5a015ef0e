import assert from "node:assert/strict";
import { copyFile, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { unlessDebian } from "../setup.ts";
import { type Content, contentOf, noise } from "../support/image.ts";
import type { Upload } from "../support/registry-client.ts";
import type { RegistryKind } from "../support/registry-process.ts";
import { DIRECTIONS, openRegistry, type RunningRegistry } from "../support/swap.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";

const MIB = 2 ** 20;
/** Neither a multiple of a hash's block nor of a page, so that a state between blocks is carried over. */
const CUTS = [3 * MIB + 17, 5 * MIB + 4099, 7 * MIB + 1];
const ENDINGS = ["both go on running", "the first is stopped", "the first is killed"] as const;
type Ending = (typeof ENDINGS)[number];

describe("an upload begun in one registry and finished in the other", { skip: unlessDebian("docker-registry") }, () => {
  let folder: TemporaryFolder;
  let layer: Content;
  before(async () => {
    folder = await temporaryFolder("uploads");
    layer = contentOf(noise(9 * MIB + 5, 77), "application/octet-stream");
  });
  after(() => folder[Symbol.asyncDispose]());

  const part = (i: number): Uint8Array => layer.bytes.subarray(CUTS[i - 1] ?? 0, CUTS[i] ?? layer.bytes.length);

  for (const [first, second] of DIRECTIONS) {
    for (const ending of ENDINGS) {
      for (const style of ["announced", "streamed"] as const) {
        test(`${first} begins, ${second} finishes; ${ending}; parts are ${style}`, async () => {
          const directory = folder.join(crypto.randomUUID());
          await using begun = await openRegistry(first, directory);
          let upload = await begun.http.startUpload("moved/over");
          for (const i of [0, 1]) upload = await begun.http.append(upload, part(i), style);
          await end(begun, ending);
          await using next = await openRegistry(second, directory);
          upload = await next.http.uploadStatus(upload);
          assert.equal(upload.range, `0-${(CUTS[1] ?? 0) - 1}`);
          upload = await next.http.append(upload, part(2), style);
          await next.http.finishUpload(upload, layer.descriptor.digest, part(3));
          await next.http.expectBlob("moved/over", layer);
          await expectNoSession(directory, "moved/over");
        });
      }
    }

    test(`${first} takes all the bytes and is killed; ${second} finishes with an empty body`, async () => {
      const directory = folder.join(crypto.randomUUID());
      await using begun = await openRegistry(first, directory);
      const upload = await begun.http.append(await begun.http.startUpload("whole"), layer.bytes);
      await begun.process.kill();
      await using next = await openRegistry(second, directory);
      await next.http.finishUpload(upload, layer.descriptor.digest);
      await next.http.expectBlob("whole", layer);
    });

    test(`${first} begins and is killed; ${second} refuses wrong bytes`, async () => {
      const directory = folder.join(crypto.randomUUID());
      await using begun = await openRegistry(first, directory);
      const upload = await begun.http.append(await begun.http.startUpload("wrong"), part(1));
      await begun.process.kill();
      await using next = await openRegistry(second, directory);
      const answer = await next.http.tryFinish(upload, layer.descriptor.digest, part(2));
      assert.equal(answer.status, 400);
      assert.match(await answer.text(), /DIGEST_INVALID/);
      assert.equal(await next.http.statusOf("wrong", "blobs", layer.descriptor.digest), 404);
    });

    test(`${first} begins, ${second} cancels; the session is gone from both`, async () => {
      const directory = folder.join(crypto.randomUUID());
      await using begun = await openRegistry(first, directory);
      await using next = await openRegistry(second, directory);
      const upload = await begun.http.append(await begun.http.startUpload("cancelled"), part(0));
      assert.equal((await next.http.at(upload, { method: "DELETE" })).status, 204);
      for (const { http } of [begun, next]) assert.equal((await http.at(upload, { method: "PATCH" })).status, 404);
    });
  }

  test("an upload goes to and fro between the two, part by part, and is whole", async () => {
    const directory = folder.join("to-and-fro");
    const kinds: readonly RegistryKind[] = ["docker-registry", "wharfinger", "docker-registry", "wharfinger"];
    let upload: Upload | undefined;
    for (const [i, kind] of kinds.entries()) {
      await using registry = await openRegistry(kind, directory);
      upload = await registry.http.append(upload ?? (await registry.http.startUpload("to/and/fro")), part(i));
      await registry.process.kill();
    }
    await using last = await openRegistry("docker-registry", directory);
    await last.http.finishUpload(upload as Upload, layer.descriptor.digest);
    await last.http.expectBlob("to/and/fro", layer);
  });

  test("we finish from the hash state that the old registry has left, without reading its bytes again", async () => {
    const directory = folder.join("hash-state");
    const big = contentOf(noise(32 * MIB + 100, 78), "application/octet-stream");
    const upload = await beginInOld(directory, big.bytes.subarray(0, 32 * MIB));
    assert.ok((await readdir(hashStates(directory, upload))).includes(String(32 * MIB)));
    await using ours = await openRegistry("wharfinger", directory);
    const before = await bytesReadBy(ours.process.pid);
    await ours.http.finishUpload(upload, big.descriptor.digest, big.bytes.subarray(32 * MIB));
    assert.ok((await bytesReadBy(ours.process.pid)) - before < 8 * MIB);
    await ours.http.expectBlob("state", big);
  });

  test("a hash state that does not belong to the bytes costs reading them again, and no more", async () => {
    const [directory, other] = [folder.join("wrong-state"), folder.join("wrong-state-source")];
    const upload = await beginInOld(directory, part(0));
    const stranger = await beginInOld(other, noise(part(0).length, 1234));
    const name = String(part(0).length);
    await copyFile(join(hashStates(other, stranger), name), join(hashStates(directory, upload), name));
    await using ours = await openRegistry("wharfinger", directory);
    const wrong = await ours.http.tryFinish(
      upload,
      contentOf(noise(9, 5), "application/octet-stream").descriptor.digest,
    );
    assert.equal(wrong.status, 400);
    await ours.http.finishUpload(upload, layer.descriptor.digest, layer.bytes.subarray(CUTS[0]));
    await ours.http.expectBlob("state", layer);
  });

  test("a session of a registry with another secret is not taken over", async () => {
    const directory = folder.join("other-secret");
    await using old = await openRegistry("docker-registry", directory);
    await using ours = await openRegistry("wharfinger", directory, { http: { secret: "another" } });
    const upload = await old.http.append(await old.http.startUpload("foreign"), part(0));
    assert.equal((await ours.http.at(upload, { method: "PATCH" })).status, 404);
    const finished = await old.http.append(upload, layer.bytes.subarray(CUTS[0]));
    await old.http.finishUpload(finished, layer.descriptor.digest);
  });
});

async function end(registry: RunningRegistry, ending: Ending): Promise<void> {
  if (ending === "the first is stopped") await registry.process.stop();
  if (ending === "the first is killed") await registry.process.kill();
}

/** The finished session has left nothing that a registry would take for one. */
async function expectNoSession(directory: string, repository: string): Promise<void> {
  const uploads = join(directory, "docker/registry/v2/repositories", repository, "_uploads");
  for (const session of await readdir(uploads).catch(() => [])) {
    await assert.rejects(stat(join(uploads, session, "startedat")), { code: "ENOENT" });
  }
}

/** A session of the repository `state` with these bytes; its registry is killed. */
async function beginInOld(directory: string, bytes: Uint8Array): Promise<Upload> {
  await using old = await openRegistry("docker-registry", directory);
  const upload = await old.http.append(await old.http.startUpload("state"), bytes);
  await old.process.kill();
  return upload;
}

function hashStates(directory: string, upload: Upload): string {
  return join(directory, "docker/registry/v2/repositories/state/_uploads", sessionOf(upload), "hashstates/sha256");
}

/** Bytes that a process has read since its start, from files and sockets alike. @see proc(5), /proc/PID/io */
async function bytesReadBy(pid: number): Promise<number> {
  return Number(/rchar: (\d+)/.exec(await readFile(`/proc/${pid}/io`, "utf8"))?.[1]);
}

function sessionOf(upload: Upload): string {
  return upload.location.replace(/\?.*/, "").replace(/.*\//, "");
}
