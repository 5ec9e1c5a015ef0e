/** Uploads that one node begins and another one goes on with, over one bucket: who reads their bytes again, and who is believed. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { decorate } from "../../src/lib/decorate.ts";
import { openRegistry } from "../../src/library.ts";
import { type DigestAlgorithm, digestOf } from "../../src/oci/digest.ts";
import { BlobUnknown, DigestInvalid, RangeInvalid } from "../../src/oci/errors.ts";
import { parseRepositoryName } from "../../src/oci/names.ts";
import { createResumableHash } from "../../src/registry/hash-state.ts";
import { PathMapper } from "../../src/registry/paths.ts";
import type { Registry, Upload } from "../../src/registry/registry.ts";
import type { UploadId } from "../../src/registry/upload-id.ts";
import type { FileReader, StorageDriver } from "../../src/storage/driver.ts";
import { PathNotFound } from "../../src/storage/errors.ts";
import { openS3 } from "../../src/storage/s3.ts";
import { unlessDebian } from "../setup.ts";
import { type Api, startApi } from "../support/api.ts";
import { locationOf, sameBytes } from "../support/api-content.ts";
import { type FaultProxy, startFaultProxy } from "../support/fault-proxy.ts";
import { gatedDriver } from "../support/gated-driver.ts";
import { contentOf, noise } from "../support/image.ts";
import { openRegistryOn, type RunningRegistry } from "../support/swap.ts";
import { type Gateway, gatewayParameters, startGateway } from "../support/versitygw.ts";

const MIB = 2 ** 20;
const NAME = parseRepositoryName("a");
const ALGORITHMS: readonly DigestAlgorithm[] = ["sha256", "sha384", "sha512"];
const paths = new PathMapper();

describe("the hash of an upload over one bucket", () => {
  let gateway: Gateway;
  let proxy: FaultProxy;
  before(async () => {
    gateway = await startGateway();
    proxy = await startFaultProxy(gateway.port);
  });
  after(async () => {
    await proxy[Symbol.asyncDispose]();
    await gateway[Symbol.asyncDispose]();
  });

  /** One that knows of uploads only what is in the bucket. */
  const openNode = async (rootdirectory: string): Promise<StorageDriver> => {
    const driver = await openS3(gatewayParameters(proxy.port, { rootdirectory }));
    Object.defineProperty(driver, "redirectUrl", { value: undefined }); // the bytes are to come from us
    return driver;
  };
  const openApis = async (): Promise<AsyncDisposable & Readonly<Record<"one" | "two" | "three", Api>>> => {
    const root = randomUUID();
    const start = async (): Promise<Api> => await startApi(await openNode(root));
    const apis = { one: await start(), two: await start(), three: await start() };
    const dispose = async (): Promise<void> => {
      for (const api of Object.values(apis)) await api[Symbol.asyncDispose]();
    };
    return { ...apis, [Symbol.asyncDispose]: dispose };
  };
  const readings = (): number =>
    proxy.requests.filter(({ operation, key }) => operation === "GetObject" && key.endsWith("/data")).length;

  for (const algorithm of ALGORITHMS) {
    for (const rest of [0, 10] as const) {
      test(`${algorithm} goes from node to node, to be finished with ${rest} bytes at a third, and no byte is read`, async () => {
        await using apis = await openApis();
        const { one, two, three } = apis;
        const bytes = noise(13 * MIB + rest, 1);
        const begun = await one.send("POST", `/v2/a/blobs/uploads/?digest-algorithm=${algorithm}`);
        let session = locationOf(begun);
        proxy.forget();
        // No part but the last may be short, or S3 copies and we read what is too short to copy.
        for (const [api, from, to] of [[two, 0, 6 * MIB] as const, [three, 6 * MIB, 13 * MIB] as const]) {
          const headers = { "Content-Range": `${from}-${to - 1}` };
          session = locationOf(await api.send("PATCH", session, { headers, body: bytes.subarray(from, to) }));
        }
        const url = `${session}&digest=${digestOf(bytes, algorithm)}`;
        const answer = await one.send("PUT", url, { body: bytes.subarray(13 * MIB) });
        assert.equal(answer.status, 201, answer.body.toString());
        assert.equal(readings(), 0);
        sameBytes((await two.send("GET", locationOf(answer))).body, bytes);
      });
    }
  }

  for (const [rest, expected] of [
    [0, 0],
    [10, 1],
  ] as const) {
    test(`a layer that came in one piece and is finished with ${rest} bytes at another node is read ${expected} times`, async () => {
      await using apis = await openApis();
      const { one, two } = apis;
      const bytes = noise(6 * MIB + rest, 11);
      let session = locationOf(await one.send("POST", "/v2/a/blobs/uploads/"));
      session = locationOf(await one.send("PATCH", session, { body: bytes.subarray(0, 6 * MIB) }));
      proxy.forget();
      const url = `${session}&digest=${digestOf(bytes)}`;
      const answer = await two.send("PUT", url, { body: bytes.subarray(6 * MIB) });
      assert.equal(answer.status, 201, answer.body.toString());
      assert.equal(readings(), expected);
      sameBytes((await one.send("GET", locationOf(answer))).body, bytes);
    });
  }

  test("what arrived before a client broke off is not read either", async () => {
    const root = randomUUID();
    await using one = openRegistry({ driver: await openNode(root) });
    await using two = openRegistry({ driver: await openNode(root) });
    const bytes = noise(6 * MIB, 2);
    const upload = await one.repository(NAME).uploads.start();
    const breaking = function* (): Generator<Uint8Array, void, void> {
      yield bytes;
      throw new Error("broken off");
    };
    await assert.rejects(upload.append(breaking()), /^Error: broken off$/);
    proxy.forget();
    const resumed = await two.repository(NAME).uploads.resume(upload.id);
    assert.equal((await resumed.commit(digestOf(bytes))).size, bytes.length);
    assert.equal(readings(), 0);
  });

  test("one node alone asks for no state, and a request that commits leaves none", async () => {
    await using apis = await openApis();
    const { one: api } = apis;
    const bytes = noise(1000, 3);
    proxy.forget();
    const session = locationOf(await api.send("POST", "/v2/a/blobs/uploads/"));
    const answer = await api.send("PUT", `${session}&digest=${digestOf(bytes)}`, { body: bytes });
    assert.equal(answer.status, 201);
    const ofHashes = proxy.requests.filter(({ key }) => /hashstates|_wharfinger/.test(key));
    assert.deepEqual(ofHashes, []);
  });

  test("what is no state, or one of another length, costs a reading", async () => {
    const root = randomUUID();
    await using one = openRegistry({ driver: await openNode(root) });
    await using two = openRegistry({ driver: await openNode(root) });
    const bucket = await openNode(root);
    const bytes = noise(1000, 10);
    const digest = digestOf(bytes);
    const short = (await createResumableHash("sha256")).save();
    const damages: readonly ((line: Uint8Array, state: Uint8Array) => readonly Uint8Array[])[] = [
      () => [],
      (line) => [line.subarray(0, -1)],
      (line) => [line],
      (_, state) => [Buffer.from("md5 x\n"), state],
      (line, state) => [line, state.subarray(1)],
      (line) => [line, short],
    ];
    for (const damage of damages) {
      const { id } = await (await one.repository(NAME).uploads.start()).append(bytes);
      const own = Buffer.from(await bucket.getContent(paths.uploadHash(NAME, id)));
      const end = own.indexOf("\n") + 1;
      const damaged = Buffer.concat(damage(own.subarray(0, end), own.subarray(end)));
      await bucket.putContent(paths.uploadHash(NAME, id), damaged);
      proxy.forget();
      await (await two.repository(NAME).uploads.resume(id)).commit(digest);
      assert.equal(readings(), 1);
      sameBytes(Buffer.from(await bucket.getContent(paths.blob(digest))), bytes);
    }
    await bucket[Symbol.asyncDispose]();
  });

  describe("where two nodes got bytes for one session", () => {
    const [acknowledged, other, rest] = [noise(1000, 4), noise(1000, 5), noise(10, 6)];

    /** Both begin at no byte, and one has acknowledged its bytes before the other one replaces them. */
    const race = async (
      one: Registry,
      two: Registry,
    ): Promise<{ readonly id: UploadId; readonly first: Upload; readonly replace: () => Promise<unknown> }> => {
      const { id } = await one.repository(NAME).uploads.start();
      const [open, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const late = (async function* () {
        open.resolve();
        await go.promise;
        yield other;
      })();
      const second = (await two.repository(NAME).uploads.resume(id)).append(late);
      await open.promise;
      const first = await (await one.repository(NAME).uploads.resume(id)).append(acknowledged);
      const replace = (): Promise<unknown> => {
        go.resolve();
        return second;
      };
      return { id, first, replace };
    };

    test("a state of the bytes that were replaced makes them no blob, whoever left it", async () => {
      const root = randomUUID();
      await using one = openRegistry({ driver: await openNode(root) });
      await using two = openRegistry({ driver: await openNode(root) });
      await using three = openRegistry({ driver: await openNode(root) });
      const bucket = await openNode(root);
      const { id, replace } = await race(one, two);
      const stale = await bucket.getContent(paths.uploadHash(NAME, id));
      await replace();
      await bucket.putContent(paths.uploadHash(NAME, id), stale);
      const peers = await createResumableHash("sha256");
      peers.update(acknowledged);
      await bucket.putContent(paths.hashState(NAME, id, "sha256", acknowledged.length), peers.save());

      for (const node of [three, one]) {
        const upload = await node.repository(NAME).uploads.resume(id);
        assert.equal(upload.size, acknowledged.length);
        await assert.rejects(upload.commit(digestOf(acknowledged)), DigestInvalid);
        await assert.rejects(node.repository(NAME).blobs.open(digestOf(acknowledged)), BlobUnknown);
      }
      const blob = await (await three.repository(NAME).uploads.resume(id)).commit(digestOf(other));
      assert.equal(blob.digest, digestOf(other));
      sameBytes(Buffer.from(await bucket.getContent(paths.blob(blob.digest))), other);
      await bucket[Symbol.asyncDispose]();
    });

    test("nobody goes on from the hash of bytes that are replaced at that moment", async () => {
      const root = randomUUID();
      const gated = gatedDriver(await openNode(root));
      await using one = openRegistry({ driver: gated.driver });
      await using two = openRegistry({ driver: await openNode(root) });
      const { id, first, replace } = await race(one, two);
      const gate = gated.hold("writer", paths.uploadData(NAME, id));
      const appending = first.append(rest);
      await gate.reached;
      await replace();
      gate.release();
      await assert.rejects(appending, RangeInvalid);
      const upload = await one.repository(NAME).uploads.resume(id);
      assert.equal(upload.size, other.length);
      await assert.rejects(upload.commit(digestOf(acknowledged)), DigestInvalid);
    });
  });

  test("bytes that are others while they are read again, and the same as before afterwards, make no blob", async () => {
    const root = randomUUID();
    const bucket = await openNode(root);
    const [good, other] = [noise(1000, 12), noise(1000, 13)];
    const digest = digestOf(good);
    const replace = async (path: string, bytes: Uint8Array): Promise<void> => {
      await using writer = await bucket.writer(path, { append: false });
      await writer.write(bytes);
      await writer.commit();
    };
    const driver = await openNode(root);
    const deceived = decorate<StorageDriver, Pick<StorageDriver, "reader">>(driver, {
      reader: async (path, ...how) => {
        await replace(path, good);
        const reader = await driver.reader(path, ...how);
        return decorate<FileReader, AsyncDisposable>(reader, {
          [Symbol.asyncDispose]: async () => {
            await reader[Symbol.asyncDispose]();
            await replace(path, other);
          },
        });
      },
    });
    await using registry = openRegistry({ driver: deceived });
    const { id } = await registry.repository(NAME).uploads.start();
    await using writer = await bucket.writer(paths.uploadData(NAME, id), { append: true });
    await writer.write(other);
    await writer.close();
    const upload = await registry.repository(NAME).uploads.resume(id);
    await assert.rejects(upload.commit(digest), RangeInvalid);
    await assert.rejects(bucket.getContent(paths.blob(digest)), PathNotFound);
    await bucket[Symbol.asyncDispose]();
  });

  describe("that we began and Debian's docker-registry goes on with", { skip: unlessDebian("docker-registry") }, () => {
    let ours: RunningRegistry;
    let peer: RunningRegistry;
    before(async () => {
      const parameters = gatewayParameters(proxy.port, { rootdirectory: "with-a-peer", secure: false });
      ours = await openRegistryOn("wharfinger", parameters);
      peer = await openRegistryOn("docker-registry", parameters);
    });
    after(async () => {
      for (const registry of [ours, peer]) await registry[Symbol.asyncDispose]();
    });

    for (const rest of [0, 100]) {
      test(`is not read by it when it finishes with ${rest} bytes`, async () => {
        const layer = contentOf(noise(11 * MIB + rest, 7 + rest), "application/octet-stream");
        const got = await ours.http.append(
          await ours.http.startUpload("a"),
          layer.bytes.subarray(0, 11 * MIB),
          "chunk",
        );
        proxy.forget();
        await peer.http.finishUpload(got, layer.descriptor.digest, layer.bytes.subarray(11 * MIB));
        assert.ok(received(proxy) < MIB, `${received(proxy)} bytes came from S3`);
        await ours.http.expectBlob("a", layer);
      });
    }

    test("and comes back to us, is read by us once, because nothing says of which bytes a peer's state is", async () => {
      const layer = contentOf(noise(12 * MIB, 9), "application/octet-stream");
      const got = await ours.http.append(await ours.http.startUpload("a"), layer.bytes.subarray(0, 6 * MIB));
      const more = await peer.http.append(got, layer.bytes.subarray(6 * MIB));
      proxy.forget();
      await ours.http.finishUpload(more, layer.descriptor.digest);
      assert.equal(Math.floor(received(proxy) / MIB), 12);
      await peer.http.expectBlob("a", layer);
    });
  });
});

function received(proxy: FaultProxy): number {
  return proxy.requests.reduce((sum, one) => sum + one.received, 0);
}
