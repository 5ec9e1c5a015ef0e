/** What clients see while S3 is out, and that nothing is lost by it. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { after, before, beforeEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { digestOf } from "../../src/oci/digest.ts";
import type { StorageDriver } from "../../src/storage/driver.ts";
import type { GuardOptions } from "../../src/storage/guard.ts";
import { guardDriver } from "../../src/storage/guarded.ts";
import { openS3 } from "../../src/storage/s3.ts";
import { until } from "../faults/until.ts";
import { type Api, startApi } from "../support/api.ts";
import { contentsOf, locationOf, noise, pushBlob, sameBytes, startUpload } from "../support/api-content.ts";
import { type Fault, type FaultProxy, SLOW_DOWN, startFaultProxy } from "../support/fault-proxy.ts";
import { freePort } from "../support/free-port.ts";
import {
  expectOutage,
  expectRecovery,
  type OutageRequest,
  requestsInOutage,
  type Scene,
  setScene,
} from "../support/outage.ts";
import { registryConfiguration, startRegistry } from "../support/registry-process.ts";
import { tryRun } from "../support/run.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { type Gateway, gatewayParameters, startGateway } from "../support/versitygw.ts";

const MIB = 2 ** 20;
const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const PATIENCE = { attempts: 2, connect: 1000, silence: 2000, answer: 2000, work: 3000 };
const INTERNAL: Fault = { kind: "status", status: 500, body: "<Error><Code>InternalError</Code></Error>" };

/** None of them lets a read through. */
const FAULTS: Readonly<Record<string, Fault | "refuse">> = {
  "refuses connections": "refuse",
  "resets connections": { kind: "reset" },
  "loses its answers": { kind: "lost" },
  "says nothing": { kind: "silence" },
  "answers 500": INTERNAL,
  "answers SlowDown": SLOW_DOWN,
};

describe("S3 that is out", () => {
  let gateway: Gateway;
  let proxy: FaultProxy;
  before(async () => {
    gateway = await startGateway();
    proxy = await startFaultProxy(gateway.port);
  });
  beforeEach(() => {
    proxy.onRequest = () => undefined;
    proxy.forget();
  });
  after(async () => {
    await proxy[Symbol.asyncDispose]();
    await gateway[Symbol.asyncDispose]();
  });

  const fail = async (fault: Fault | "refuse"): Promise<void> => {
    if (fault === "refuse") await proxy[Symbol.asyncDispose]();
    else proxy.onRequest = () => fault;
  };
  const mend = async (fault: Fault | "refuse"): Promise<void> => {
    if (fault === "refuse") proxy = await startFaultProxy(gateway.port, proxy.port);
    else proxy.onRequest = () => undefined;
  };

  for (const [what, fault] of Object.entries(FAULTS)) {
    test(`and ${what} is 503 on every route, and when it is back everything is there`, async () => {
      await using api = await startApi(await openBucket(proxy.port), { faulty: true, redirect: false });
      const scene = await setScene(api);
      const before = await contentsOf(api.driver);
      await fail(fault);
      await expectOutages(api, scene, () => [503]);
      await mend(fault);
      if (what !== "loses its answers") assert.deepEqual(await contentsOf(api.driver), before);
      await expectRecovery(api, scene);
    });

    test(`and ${what} in the middle of an upload leaves what it has, from where the upload goes on`, async () => {
      await using api = await startApi(await openBucket(proxy.port), { faulty: true, redirect: false });
      const bytes = noise(12 * MIB);
      const session = await startUpload(api, "a");
      const sending = beginPatch(api, session, bytes.length);
      sending.write(bytes.subarray(0, 6 * MIB));
      await sentParts(proxy, 1);
      await fail(fault);
      sending.end(bytes.subarray(6 * MIB));
      assert.equal((await sending.answer).statusCode, 503);
      await mend(fault);
      const state = await api.send("GET", session);
      assert.equal(state.status, 204);
      const size = Number(state.headers["range"]?.split("-")[1]) + 1;
      assert.ok(size >= 5 * MIB, `${size} bytes`);
      const last = await api.send("PATCH", locationOf(state), { body: bytes.subarray(size) });
      const digest = digestOf(bytes);
      assert.equal((await api.send("PUT", `${locationOf(last)}&digest=${digest}`)).status, 201);
      sameBytes((await api.send("GET", `/v2/a/blobs/${digest}`)).body, bytes);
    });
  }

  test("and whose answers break off again and again is 503 for whoever reads, or read to the end", async () => {
    await using api = await startApi(await openBucket(proxy.port), { faulty: true, redirect: false });
    const scene = await setScene(api);
    proxy.onRequest = () => ({ kind: "cut", after: 7 });
    await expectOutages(api, scene, (request) => (isRead(request) ? [503, request.works] : undefined));
    proxy.onRequest = () => undefined;
    await expectRecovery(api, scene);
  });

  test("is left alone but for one probe at a time, and used again by the same process when it answers one", async () => {
    const back = Promise.withResolvers<void>();
    const warnings: string[] = [];
    const warn = (message: string): void => {
      warnings.push(message);
      if (message.endsWith("answers again")) back.resolve();
    };
    const driver = guardDriver(await openBucket(proxy.port), { warn, pause: 1 });
    await using api = await startApi(driver, { faulty: true, redirect: false });
    const scene = await setScene(api);
    proxy.onRequest = () => ({ kind: "reset" });
    while (warnings.length === 0) expectOutage("GET", await api.send("GET", "/v2/a/tags/list"));
    proxy.forget();
    await expectOutages(api, scene, () => [503]);
    const asked = new Set(proxy.requests.map(({ key }) => key.split("/").at(-1)));
    assert.deepEqual(
      [...asked].filter((name) => name !== "wharfinger-probe" && name !== ""),
      [],
    );
    proxy.onRequest = () => undefined;
    await back.promise;
    await expectRecovery(api, scene);
    assert.deepEqual(warnings, [
      "the storage does not answer; requests are refused until it does",
      "the storage answers again",
    ]);
  });

  test("is not to be seen where only its readers are slow: 300 of them keep nobody from S3", async () => {
    const driver = await openBucket(gateway.port, { ...PATIENCE, answer: 5000, work: 60_000 });
    await driver.putContent("/object", Buffer.alloc(8 * MIB));
    await using readers = new AsyncDisposableStack();
    for (let i = 0; i < 300; i++) await readers.use(await driver.reader("/object")).read(Buffer.alloc(1000));
    assert.equal((await driver.stat("/object")).size, 8 * MIB);
    await driver.putContent("/link", Buffer.from("link"));
    assert.equal((await driver.getContent("/link")).length, 4);
  });

  test("and slow for 500 clients has no more calls waiting than may, refuses the others, and serves those that waited", async () => {
    const limit = 40;
    const driver = await openGuarded(proxy.port, { limit });
    await using api = await startApi(driver, { faulty: true, redirect: false });
    const digest = await pushBlob(api, "a", Buffer.from("0123456789"));
    const { promise, resolve: release } = Promise.withResolvers<void>();
    let asked = 0;
    proxy.onRequest = () => {
      asked += 1;
      return { kind: "late", until: promise };
    };
    const statuses: number[] = [];
    const refused = Promise.withResolvers<void>();
    const clients = Array.from({ length: 500 }, async () => {
      const { status } = await api.send("GET", `/v2/a/blobs/${digest}`);
      statuses.push(status);
      if (statuses.length === 500 - limit) refused.resolve();
    });
    await refused.promise;
    assert.deepEqual([...new Set(statuses)], [503]);
    assert.ok(asked <= limit, `${asked} requests`);
    release();
    await Promise.all(clients);
    assert.deepEqual(
      statuses.slice(500 - limit),
      Array.from({ length: limit }, () => 200),
    );
  });

  test("and comes back needs no restart of the registry that is configured for it", async () => {
    await using folder = await temporaryFolder("outage");
    const driver = { s3: gatewayParameters(proxy.port, { rootdirectory: randomUUID() }) };
    await using registry = await startRegistry("wharfinger", { rootDirectory: folder.path, driver });
    await fail({ kind: "reset" });
    const answer = await fetch(`${registry.url}/v2/a/tags/list`);
    assert.equal(answer.status, 503, await answer.text());
    await until("it is down", () => registry.log.includes("the storage does not answer"));
    proxy.onRequest = () => undefined;
    await until("it is back", () => registry.log.includes("the storage answers again"));
    assert.equal((await fetch(`${registry.url}/v2/_catalog`)).status, 200);
  });
});

test("a start while S3 refuses connections fails with one sentence", async () => {
  await using place = await temporaryFolder("outage");
  const path = place.join("config.yml");
  const s3 = gatewayParameters(await freePort());
  await writeFile(path, stringify({ ...registryConfiguration(place.path, 0), storage: { s3 } }));
  const { exitCode, stderr } = await tryRun(process.execPath, [MAIN, "serve", path]);
  const sentence = /s3: cannot use the bucket s3:\/\/registry\/: ListObjectsV2 failed: ECONNREFUSED after 6 attempts$/;
  assert.match(stderr.trimEnd(), sentence);
  assert.equal(exitCode, 1);
});

async function openBucket(port: number, patience: typeof PATIENCE = PATIENCE): Promise<StorageDriver> {
  return await openS3(gatewayParameters(port, { chunksize: 5 * MIB, rootdirectory: randomUUID() }), { patience });
}

/** Patient enough for a test to decide when S3 answers. */
async function openGuarded(port: number, options: Partial<GuardOptions>): Promise<StorageDriver> {
  const driver = await openBucket(port, { ...PATIENCE, answer: 60_000 });
  return guardDriver(driver, { warn: () => undefined, stall: 60_000, ...options });
}

/** @param toStatuses what may be answered to a request, which else is not sent */
async function expectOutages(
  api: Api,
  scene: Scene,
  toStatuses: (request: OutageRequest) => readonly number[] | undefined,
): Promise<void> {
  const sending = requestsInOutage(scene).map(async (request) => {
    const { method, target, init } = request;
    const statuses = toStatuses(request);
    if (statuses === undefined) return;
    const answer = await api.send(method, target, init);
    assert.ok(statuses.includes(answer.status), `${method} ${target}: ${answer.status} ${answer.body}`);
    if (answer.status === 503) expectOutage(method, answer);
  });
  await Promise.all(sending);
}

function isRead({ method }: OutageRequest): boolean {
  return method === "GET" || method === "HEAD";
}

interface Sending {
  readonly answer: Promise<IncomingMessage>;
  write(bytes: Uint8Array): void;
  end(bytes: Uint8Array): void;
}

function beginPatch(api: Api, session: string, length: number): Sending {
  const outgoing = request(api.origin + session, { method: "PATCH", headers: { "Content-Length": length } });
  const { promise: answer, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  outgoing.on("response", (incoming) => resolve(incoming.resume())).on("error", reject);
  return { answer, write: (bytes) => outgoing.write(bytes), end: (bytes) => outgoing.end(bytes) };
}

/** Resolves when S3 has so many parts of uploads. */
async function sentParts(proxy: FaultProxy, count: number): Promise<void> {
  while (proxy.requests.filter(({ operation }) => operation === "UploadPart").length < count) {
    await new Promise(setImmediate);
  }
}
