/** Blobs whose bytes come all at once, over HTTP to S3: what is left where something goes wrong. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { after, before, beforeEach, describe, test } from "node:test";
import { purgeUploads } from "../../src/maintenance/upload-purge.ts";
import { digestOf } from "../../src/oci/digest.ts";
import { parseRepositoryName } from "../../src/oci/names.ts";
import { PathMapper } from "../../src/registry/paths.ts";
import { openS3, type S3Driver } from "../../src/storage/s3.ts";
import { until } from "../faults/until.ts";
import { type Answer, type Api, startApi } from "../support/api.ts";
import { contentsOf, expectError, locationOf, noise, sameBytes, startUpload } from "../support/api-content.ts";
import { type FaultProxy, SLOW_DOWN, startFaultProxy } from "../support/fault-proxy.ts";
import { type Gateway, gatewayParameters, startGateway } from "../support/versitygw.ts";

const MIB = 2 ** 20;
const PART = 5 * MIB;
/** Of the bytes that a client sends before it leaves. */
const BEGUN = PART + 1000;
const PATHS = new PathMapper();
const PATIENCE = { attempts: 2, connect: 5000, silence: 10_000, answer: 10_000, work: 20_000 };

describe("bytes that come all at once", () => {
  let gateway: Gateway;
  let proxy: FaultProxy;
  let driver: S3Driver;
  let api: Api;
  before(async () => {
    gateway = await startGateway();
    proxy = await startFaultProxy(gateway.port);
  });
  beforeEach(() => restart());
  after(async () => {
    for (const one of [api, proxy, gateway]) await one[Symbol.asyncDispose]();
  });

  async function restart({ stall = 10_000, attempts = PATIENCE.attempts } = {}): Promise<void> {
    proxy.onRequest = () => undefined;
    const parameters = { chunksize: PART, rootdirectory: randomUUID() };
    driver = await openS3(gatewayParameters(proxy.port, parameters), { patience: { ...PATIENCE, attempts } });
    Object.defineProperty(driver, "redirectUrl", { value: undefined }); // the bytes are to come from us
    await api?.[Symbol.asyncDispose]();
    api = await startApi(driver, { faulty: true, stall });
  }

  const bytes = noise(2 * PART + 1000);
  const digest = digestOf(bytes);
  const unfinished = async (): Promise<readonly string[]> =>
    (await driver.listUnfinished(PATHS.blobs)).map(({ path }) => path);
  const put = (session: string, body: Uint8Array, headers: Record<string, string> = {}): Promise<Answer> =>
    api.send("PUT", `${session}&digest=${digest}`, { body, headers });

  /** Sends the head of a request and some more than one part, until S3 has that. */
  async function begin(method: string, target: string): Promise<Socket> {
    proxy.forget();
    const socket = connect(api.port, "127.0.0.1").on("error", () => undefined);
    socket.write(`${method} ${target} HTTP/1.1\r\nHost: x\r\nContent-Length: ${bytes.length}\r\n\r\n`);
    socket.write(bytes.subarray(0, BEGUN));
    await until("S3 has a part", () => proxy.requests.some(({ operation }) => operation === "UploadPart"));
    return socket;
  }

  /** Both ways, each beside a blob of this digest that is damaged. */
  const ways: Readonly<Record<string, (session: string) => readonly [method: string, target: string]>> = {
    "PUT of a session": (session) => ["PUT", `${session}&digest=${digest}`],
    "POST with its digest": () => ["POST", `/v2/a/blobs/uploads/?digest=${digest}`],
  };
  for (const [what, toRequest] of Object.entries(ways)) {
    test(`of another digest, length or range change nothing and leave nothing, ${what}`, async () => {
      const session = await startUpload(api, "a");
      await driver.putContent(PATHS.blob(digest), Buffer.from("damaged"));
      const files = await contentsOf(driver);
      const [method, target] = toRequest(session);
      const other = Buffer.concat([bytes.subarray(1), bytes.subarray(0, 1)]);
      expectError(await api.send(method, target, { body: other }), 400, "DIGEST_INVALID");
      for (const [body, range, code] of [
        [[bytes], "0-99", "SIZE_INVALID"],
        [[bytes.subarray(0, PART + 99)], `0-${bytes.length - 1}`, "SIZE_INVALID"],
        [[bytes], `5-${bytes.length + 4}`, "RANGE_INVALID"],
      ] as const) {
        const answer = await api.send(method, target, { body, headers: { "Content-Range": range } });
        expectError(answer, code === "RANGE_INVALID" ? 416 : 400, code);
      }
      assert.deepEqual(await unfinished(), []);
      assert.deepEqual(await contentsOf(driver), files);
      assert.equal((await api.send(method, target, { body: bytes })).status, 201);
      sameBytes((await api.send("GET", `/v2/a/blobs/${digest}`)).body, bytes);
      assert.deepEqual(
        filesOf(await contentsOf(driver)),
        [PATHS.blob(digest), PATHS.layerLink(parseRepositoryName("a"), digest)].sort(),
      );
    });

    test(`whose client goes away or stalls leave nothing, ${what}`, async () => {
      for (const how of ["leaves", "stalls"]) {
        await restart(how === "stalls" ? { stall: 1000 } : {});
        const session = await startUpload(api, "a");
        const files = await contentsOf(driver);
        const [method, target] = toRequest(session);
        const socket = await begin(method, target);
        if (how === "leaves") socket.destroy();
        await until("the upload was aborted", async () => (await unfinished()).length === 0);
        socket.destroy();
        assert.deepEqual(await contentsOf(driver), files);
        assert.equal((await api.send(method, target, { body: bytes })).status, 201, "the same URL once more");
      }
    });

    test(`while S3 fails leave nothing, and the client can send them once more, ${what}`, async () => {
      const session = await startUpload(api, "a");
      const [method, target] = toRequest(session);
      for (const failing of ["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"]) {
        proxy.onRequest = (operation) => (operation === failing ? SLOW_DOWN : undefined);
        expectError(await api.send(method, target, { body: bytes }), 503, "UNAVAILABLE");
        proxy.onRequest = () => undefined;
        assert.deepEqual(await unfinished(), []);
        expectError(await api.send("GET", `/v2/a/blobs/${digest}`), 404, "BLOB_UNKNOWN");
      }
      assert.equal((await api.send(method, target, { body: bytes })).status, 201);
    });
  }

  test("leave a session that stands at its beginning, and goes on in pieces", async () => {
    const session = await startUpload(api, "a");
    expectError(await put(session, bytes.subarray(1)), 400, "DIGEST_INVALID");
    const state = await api.send("GET", session);
    assert.deepEqual([state.status, state.headers["range"]], [204, "0-0"]);
    const patched = await api.send("PATCH", locationOf(state), { body: bytes.subarray(0, 100) });
    assert.equal((await put(locationOf(patched), bytes.subarray(100))).status, 201);
    sameBytes((await api.send("GET", `/v2/a/blobs/${digest}`)).body, bytes);
  });

  test("are taken over by the request of a client that comes back", async () => {
    const session = await startUpload(api, "a");
    const socket = await begin("PUT", `${session}&digest=${digest}`);
    assert.equal((await put(session, bytes)).status, 201);
    socket.destroy();
    assert.deepEqual(await unfinished(), []);
    sameBytes((await api.send("GET", `/v2/a/blobs/${digest}`)).body, bytes);
  });

  test("of several clients at once become one blob", async () => {
    const one = async (i: number): Promise<Answer> => {
      const target = `/v2/r${i}/blobs/uploads/?digest=${digest}`;
      if (i % 2 === 0) return await api.send("POST", target, { body: bytes });
      return await put(await startUpload(api, `r${i}`), bytes);
    };
    const answers = await Promise.all([0, 1, 2, 3, 4, 5].map(one));
    for (const { status, body } of answers) assert.equal(status, 201, body.toString());
    for (const i of [0, 5]) sameBytes((await api.send("GET", `/v2/r${i}/blobs/${digest}`)).body, bytes);
    assert.deepEqual(await unfinished(), []);
  });

  test("that are purged while they come are refused, and nothing points at them", async () => {
    await restart({ attempts: 6 }); // the gateway hangs up on bytes that it does not want, and its answer may be lost with that
    const session = await startUpload(api, "a");
    const socket = await begin("PUT", `${session}&digest=${digest}`);
    const purged = await purgeUploads({ driver, paths: PATHS }, { age: 0, dryRun: false, now: Date.now() + 60_000 });
    assert.deepEqual(purged, { deleted: 2, errors: [] });
    socket.write(bytes.subarray(BEGUN));
    const [head] = (await once(socket, "data")) as [Buffer];
    assert.match(head.toString(), /^HTTP\/1\.1 404 /);
    socket.destroy();
    assert.deepEqual(await driver.list("/"), []);
    assert.deepEqual(await unfinished(), []);
  });

  test("that a crash left are purged by their age", async () => {
    const writer = await driver.atomicWriter(PATHS.blob(digest), "/aside");
    await writer.write(bytes);
    const store = { driver, paths: PATHS };
    const later = Date.now() + 3_600_000;
    for (const [age, dryRun, deleted, left] of [
      [7_200_000, false, 0, 1],
      [1_800_000, true, 1, 1],
      [1_800_000, false, 1, 0],
    ] as const) {
      assert.deepEqual(await purgeUploads(store, { age, dryRun, now: later }), { deleted, errors: [] });
      assert.equal((await unfinished()).length, left);
    }
    await writer[Symbol.asyncDispose]();
  });
});

/** But for sessions that stand at their beginning. */
function filesOf(contents: Readonly<Record<string, string>>): readonly string[] {
  const paths = Object.entries(contents).flatMap(([path, what]) => (what === "folder" ? [] : path));
  return paths.filter((path) => !path.endsWith("/startedat"));
}
