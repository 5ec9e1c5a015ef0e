/** What all workers count, and what is done once for all of them. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { describe, test } from "node:test";
import { digestOf } from "../../src/oci/digest.ts";
import { until } from "../faults/until.ts";
import { startReceiver } from "../support/event-receiver.ts";
import { freePort } from "../support/free-port.ts";
import { noise } from "../support/image.ts";
import { type Configuration, type RegistryProcess, startRegistry } from "../support/registry-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { childrenOf, clientsOfWorkers, type WorkerClient } from "../support/worker-client.ts";

interface Two extends AsyncDisposable {
  readonly registry: RegistryProcess;
  readonly one: WorkerClient;
  readonly other: WorkerClient;
}

async function startTwo(configuration: Configuration): Promise<Two> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder("workers"));
  const over = { ...configuration, wharfinger: { workers: 2, ...(configuration["wharfinger"] as object) } };
  const registry = stack.use(await startRegistry("wharfinger", { rootDirectory: folder.path, configuration: over }));
  const [one, other] = [...(await clientsOfWorkers(registry)).values()];
  assert.ok(one && other);
  stack.use(one);
  stack.use(other);
  const owned = stack.move();
  return { registry, one, other, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

describe("the debug server", () => {
  test("sums up what workers count, also those that have died", async () => {
    const port = await freePort();
    const debug = { addr: `127.0.0.1:${port}`, prometheus: { enabled: true } };
    const storage = { cache: { blobdescriptor: "inmemory" } };
    await using two = await startTwo({ storage, http: { debug } });
    const { registry, one, other } = two;
    const page = async (path: string): Promise<string> => await (await fetch(`http://127.0.0.1:${port}${path}`)).text();
    const pulls = async (): Promise<number> => {
      const sample = /registry_http_requests_total\{[^}]*handler="tags"[^}]*\} (\d+)/.exec(await page("/metrics"));
      return Number(sample?.[1] ?? 0);
    };
    for (const client of [one, one, other, other, other]) await client.send("GET", "none/tags/list");
    await until("all are counted", async () => (await pulls()) === 5);
    assert.match(
      await page("/metrics"),
      /^registry_http_request_duration_seconds_count\{[^}]*handler="tags"[^}]*\} 5$/m,
    );
    assert.match(await page("/metrics"), /^process_start_time_seconds \d+$/m);
    assert.equal(await page("/debug/health"), "{}");
    await one.send("HEAD", `a/blobs/${digestOf(noise(3, 1))}`);
    await other.send("HEAD", `a/blobs/${digestOf(noise(3, 1))}`);
    const { registry: variables } = JSON.parse(await page("/debug/vars"));
    assert.equal(variables.cache.storage.blobdescriptor.Requests, 2);
    const [victim] = childrenOf(registry.pid);
    assert.ok(victim);
    process.kill(victim, "SIGKILL");
    await until("another one serves", () => registry.log.includes("serves again"));
    assert.equal(await pulls(), 5);
    const after = await clientsOfWorkers(registry);
    for (const client of after.values()) await client.send("GET", "none/tags/list");
    await until("all are counted", async () => (await pulls()) === 7);
    for (const client of after.values()) client[Symbol.dispose]();
  });

  test("says that something is not well where a worker does", async () => {
    const port = await freePort();
    const file = { file: "/proc/self/status", interval: "50ms" };
    await using two = await startTwo({ http: { debug: { addr: `127.0.0.1:${port}` } }, health: { file: [file] } });
    const isUnwell = async (): Promise<boolean> =>
      (await fetch(`http://127.0.0.1:${port}/debug/health`)).status === 503;
    await until("it is unwell", isUnwell);
    for (const client of [two.one, two.other]) {
      await until("the worker says so too", async () => (await client.send("GET", "/v2/")).status === 503);
    }
  });
});

test("events of all workers are delivered once each, in the order of the answers", async () => {
  await using receiver = await startReceiver();
  const endpoints = [{ name: "a", url: receiver.url, timeout: "5s", threshold: 3, backoff: "100ms" }];
  await using two = await startTwo({ notifications: { endpoints } });
  const digests: string[] = [];
  for (let count = 0; count < 20; count += 1) {
    const bytes = noise(10, 100 + count);
    const digest = digestOf(bytes);
    digests.push(digest);
    const client = count % 2 === 0 ? two.one : two.other;
    assert.equal((await client.send("POST", `a/blobs/uploads/?digest=${digest}`, { body: bytes })).status, 201);
  }
  await receiver.has(({ events }) => events.length >= 20);
  assert.deepEqual(
    receiver.events.map(({ target }) => target["digest"]),
    digests,
  );
});

describe("limits count over all workers", () => {
  test("of connections", async () => {
    await using two = await startTwo({ wharfinger: { limits: { connections: 10 } } });
    const { port } = two.registry;
    const open = async (): Promise<boolean> => {
      const { promise, resolve } = Promise.withResolvers<boolean>();
      const socket = connect(port, "127.0.0.1");
      sockets.use({ [Symbol.dispose]: () => void socket.destroy() });
      socket.on("data", () => resolve(true)).on("close", () => resolve(false));
      socket.on("error", () => resolve(false)).write("GET /v2/ HTTP/1.1\r\nHost: a\r\n\r\n");
      return await promise;
    };
    using sockets = new DisposableStack();
    let served = 2; // two clients are there
    for (let count = 0; count < 30; count += 1) if (await open()) served += 1;
    assert.ok(served >= 10 && served <= 12, `${served} were served`);
  });

  test("of requests of an address", async () => {
    const address = { rate: 0.001, burst: 200 };
    await using two = await startTwo({ wharfinger: { limits: { address } } });
    const isRefused = async (client: WorkerClient): Promise<boolean> =>
      (await client.send("GET", "/v2/")).status === 429;
    for (let count = 0; count < 200; count += 1) await isRefused(two.one);
    let taken = 0;
    await until("the other knows", async () => {
      taken += 1;
      return await isRefused(two.other);
    });
    assert.ok(taken < 150, `the other one let ${taken} through as well`);
  });
});
