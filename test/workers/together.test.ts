/** What one worker does, the other one knows. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { digestOf } from "../../src/oci/digest.ts";
import { imageOf, layerOfArchive, noise } from "../support/image.ts";
import { type RegistryProcess, startRegistry } from "../support/registry-process.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { clientsOfWorkers, type WorkerClient } from "../support/worker-client.ts";

const IMAGE = imageOf([layerOfArchive(noise(5000, 1), "none")]);
const { digest: MANIFEST, mediaType: TYPE } = IMAGE.manifest.descriptor;

describe("two workers", () => {
  let folder: TemporaryFolder;
  let registry: RegistryProcess;
  let one: WorkerClient;
  let other: WorkerClient;

  before(async () => {
    folder = await temporaryFolder("workers");
    const storage = { cache: { blobdescriptor: "inmemory" } };
    const configuration = { storage, wharfinger: { workers: 2, exclusive: true } };
    registry = await startRegistry("wharfinger", { rootDirectory: folder.path, configuration });
    const clients = [...(await clientsOfWorkers(registry)).values()];
    assert.ok(clients[0] && clients[1]);
    [one, other] = [clients[0], clients[1]];
  });

  after(async () => {
    one[Symbol.dispose]();
    other[Symbol.dispose]();
    await registry[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  async function pushBlob(client: WorkerClient, name: string, bytes: Uint8Array): Promise<void> {
    const path = `${name}/blobs/uploads/?digest=${digestOf(bytes)}`;
    assert.equal((await client.send("POST", path, { body: bytes })).status, 201);
  }

  async function pushImage(client: WorkerClient, name: string, reference: string): Promise<void> {
    for (const { bytes } of IMAGE.blobs) await pushBlob(client, name, bytes);
    const put = await client.send("PUT", `${name}/manifests/${reference}`, {
      body: IMAGE.manifest.bytes,
      headers: { "Content-Type": TYPE },
    });
    assert.equal(put.status, 201, String(put.body));
  }

  async function begin(client: WorkerClient, name: string): Promise<string> {
    const { status, headers } = await client.send("POST", `${name}/blobs/uploads/`);
    assert.equal(status, 202);
    return String(headers.location);
  }

  test("take the parts of one upload in turn", async () => {
    const bytes = noise(300_000, 7);
    let location = await begin(one, "turns/a");
    for (const [index, client] of [other, one, other].entries()) {
      const body = bytes.subarray(index * 100_000, (index + 1) * 100_000);
      const answer = await client.send("PATCH", location, { body });
      assert.equal(answer.status, 202, String(answer.body));
      location = String(answer.headers.location);
    }
    const { status } = await one.send("PUT", `${location}&digest=${digestOf(bytes)}`);
    assert.equal(status, 201);
    assert.deepEqual((await other.send("GET", `turns/a/blobs/${digestOf(bytes)}`)).body, Buffer.from(bytes));
  });

  test("know the hash of what the other received, and read nothing again", async () => {
    const bytes = noise(200_000, 8);
    const location = await begin(one, "hash/a");
    const patched = await one.send("PATCH", location, { body: bytes });
    const id = /uploads\/([^?]+)/.exec(location)?.[1];
    const data = folder.join(`docker/registry/v2/repositories/hash/a/_uploads/${id}/data`);
    // Bytes that would be found wrong, with the times of the right ones.
    execFileSync("cp", ["--preserve=timestamps", data, `${data}.right`]);
    writeFileSync(data, noise(200_000, 9));
    execFileSync("touch", ["-r", `${data}.right`, data]);
    const end = await other.send("PUT", `${patched.headers.location}&digest=${digestOf(bytes)}`);
    assert.equal(end.status, 201, String(end.body));
  });

  test("read again what was changed since the other received it", async () => {
    const bytes = noise(1000, 10);
    const location = await begin(one, "hash/b");
    const patched = await one.send("PATCH", location, { body: bytes });
    const id = /uploads\/([^?]+)/.exec(location)?.[1];
    writeFileSync(folder.join(`docker/registry/v2/repositories/hash/b/_uploads/${id}/data`), noise(1000, 11));
    const end = await other.send("PUT", `${patched.headers.location}&digest=${digestOf(bytes)}`);
    assert.equal(end.status, 400);
    assert.match(String(end.body), /DIGEST_INVALID/);
  });

  for (let round = 1; round <= 5; round += 1) {
    test(`keep the bytes of one of two requests that come to both at once (${round})`, async () => {
      const contents = [noise(400_000, 20 + round), noise(400_000, 40 + round)];
      const location = await begin(one, `race/${round}`);
      const headers = { "Content-Range": "0-399999" };
      const sent = [one, other].map((client, index) =>
        client.send("PATCH", location, { headers, body: contents[index] ?? "" }),
      );
      const answers = await Promise.all(sent);
      assert.ok(
        answers.every(({ status }) => status === 202 || status === 416),
        answers.map(({ body }) => String(body)).join(),
      );
      const status = await one.send("GET", location);
      const id = /uploads\/([^?]+)/.exec(location)?.[1];
      const kept = readFileSync(folder.join(`docker/registry/v2/repositories/race/${round}/_uploads/${id}/data`));
      assert.equal(status.headers.range, `0-${Math.max(0, kept.length - 1)}`);
      const whole = contents.find((bytes) => kept.equals(bytes.subarray(0, kept.length)));
      assert.ok(whole, "what is kept is of both requests");
      const rest = { body: whole.subarray(kept.length) };
      const end = await other.send("PUT", `${status.headers.location}&digest=${digestOf(whole)}`, rest);
      assert.equal(end.status, 201, String(end.body));
    });
  }

  test("know at once that a blob was deleted that they remember", async () => {
    const bytes = noise(10, 12);
    const path = `gone/a/blobs/${digestOf(bytes)}`;
    for (const [deleting, asked] of [
      [one, other],
      [other, one],
    ] as const) {
      await pushBlob(one, "gone/a", bytes);
      for (const client of [asked, asked, deleting]) assert.equal((await client.send("HEAD", path)).status, 200);
      assert.equal((await deleting.send("DELETE", path)).status, 202);
      assert.equal((await asked.send("HEAD", path)).status, 404);
      assert.equal((await asked.send("GET", path)).status, 404);
    }
  });

  test("know at once that a manifest and a tag were deleted", async () => {
    await pushImage(one, "gone/b", "v1");
    await pushImage(other, "gone/b", "v2");
    const [byTag, byDigest] = ["gone/b/manifests/v1", `gone/b/manifests/${MANIFEST}`];
    for (const path of [byTag, byDigest]) assert.equal((await other.send("GET", path)).status, 200);
    assert.deepEqual(JSON.parse(String((await other.send("GET", "gone/b/tags/list")).body)).tags, ["v1", "v2"]);
    assert.equal((await one.send("DELETE", byTag)).status, 202);
    assert.equal((await other.send("GET", byTag)).status, 404);
    assert.deepEqual(JSON.parse(String((await other.send("GET", "gone/b/tags/list")).body)).tags, ["v2"]);
    assert.equal((await one.send("DELETE", byDigest)).status, 202);
    assert.equal((await other.send("GET", byDigest)).status, 404);
    assert.equal((await other.send("GET", "gone/b/manifests/v2")).status, 404);
  });

  test("let one of many conditional pushes of a tag through, whoever gets them", async () => {
    for (const { bytes } of IMAGE.blobs) await pushBlob(one, "tag/a", bytes);
    const pushes = Array.from({ length: 20 }, (_, index) =>
      (index % 2 === 0 ? one : other).send("PUT", "tag/a/manifests/latest", {
        body: IMAGE.manifest.bytes,
        headers: { "Content-Type": TYPE, "If-None-Match": "*" },
      }),
    );
    const statuses = (await Promise.all(pushes)).map(({ status }) => status);
    assert.equal(statuses.filter((status) => status === 201).length, 1, statuses.join());
    assert.equal(statuses.filter((status) => status === 412).length, 19, statuses.join());
  });
});
