/** Workers that die, and the end of all of them. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { stringify } from "yaml";
import { digestOf } from "../../src/oci/digest.ts";
import { inForm } from "../faults/form.ts";
import { until } from "../faults/until.ts";
import { freePort } from "../support/free-port.ts";
import { imageOf, layerOfArchive, noise } from "../support/image.ts";
import { RegistryClient } from "../support/registry-client.ts";
import {
  type Configuration,
  type RegistryProcess,
  registryConfiguration,
  startRegistry,
} from "../support/registry-process.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { childrenOf, clientsOfWorkers, WorkerClient, workerOf } from "../support/worker-client.ts";

const KILLS = inForm(6, 40);
/** After more early deaths in a row the supervisor waits for seconds before it starts another worker. */
const KILLS_AT_ONCE = 6;
/** A worker that lived so long has not died early. ms */
const HEALTHY = 10_000;
const CLIENTS = 4;

interface Place extends AsyncDisposable {
  readonly folder: TemporaryFolder;
  readonly registry: RegistryProcess;
}

async function startTwo(configuration: Configuration = {}): Promise<Place> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder("workers"));
  const over = { ...configuration, wharfinger: { workers: 2, ...(configuration["wharfinger"] as object) } };
  const registry = stack.use(await startRegistry("wharfinger", { rootDirectory: folder.path, configuration: over }));
  const owned = stack.move();
  return { folder, registry, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function isGone(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, "latin1").catch(() => "State:\tX");
  return /^State:\t[XZ]/m.test(status);
}

describe("a worker that is killed", () => {
  test(`loses nothing that was acknowledged, over ${KILLS} kills under load, and another one comes`, async (t) => {
    await using place = await startTwo();
    const { registry } = place;
    let isOver = false;
    const http = new RegistryClient(registry.url);
    const pushed: { readonly repository: string; readonly image: ReturnType<typeof imageOf> }[] = [];
    let retries = 0;
    const clients = Array.from({ length: CLIENTS }, async (_, index) => {
      const repository = `client/${index}`;
      for (let count = 0; !isOver; ) {
        const image = imageOf([layerOfArchive(noise(20_000, 1000 * index + count), "none")]);
        try {
          await http.push(repository, `v${count}`, image);
          pushed.push({ repository, image });
          count += 1;
        } catch (error) {
          if (error instanceof assert.AssertionError) throw error;
          retries += 1; // the worker died that had the connection
        }
      }
    });
    try {
      for (let kill = 1; kill <= KILLS; kill += 1) {
        if (kill % KILLS_AT_ONCE === 1 && kill > 1) await Promise.race([pause(HEALTHY), ...clients]);
        const before = pushed.length;
        await Promise.race([until("something was pushed", () => pushed.length > before + 2), ...clients]);
        const workers = childrenOf(registry.pid);
        const victim = workers[kill % 2] ?? workers[0];
        assert.ok(victim !== undefined);
        process.kill(victim, "SIGKILL");
        const isReplaced = (): boolean => {
          const now = childrenOf(registry.pid);
          return now.length === 2 && !now.includes(victim);
        };
        await Promise.race([until("there is another worker", isReplaced), ...clients]);
      }
    } finally {
      isOver = true;
      await Promise.allSettled(clients);
    }
    await Promise.all(clients);
    for (const { repository, image } of pushed) {
      await http.expectImage(repository, image.manifest.descriptor.digest, image);
    }
    t.diagnostic(`${pushed.length} images pushed, ${retries} requests cut off`);
    assert.match(registry.log, /worker [12] \(process \d+\) ended: SIGKILL; another one is started/);
  });

  test("leaves no turn of an upload behind", async () => {
    await using place = await startTwo();
    await using hanging = await hang(place);
    process.kill(hanging.worker, "SIGKILL");
    await until("it is dead", () => isGone(hanging.worker));
    const { other, location, bytes } = hanging;
    const state = await other.send("GET", location);
    const size = Number(/-(\d+)$/.exec(String(state.headers.range))?.[1]) + 1;
    const rest = { body: bytes.subarray(size) };
    const end = await other.send("PUT", `${state.headers.location}&digest=${digestOf(bytes)}`, rest);
    assert.equal(end.status, 201, String(end.body));
  });
});

test("a request that comes to another worker takes an upload over from one that hangs", async () => {
  await using place = await startTwo();
  await using hanging = await hang(place);
  const { other, location, bytes } = hanging;
  const state = await other.send("GET", location);
  const size = Number(/-(\d+)$/.exec(String(state.headers.range))?.[1]) + 1;
  const headers = { "Content-Range": `${size}-${bytes.length - 1}` };
  const going = await other.send("PATCH", String(state.headers.location), { headers, body: bytes.subarray(size) });
  assert.match(await hanging.answer, /^(?:HTTP\/1\.1 416|$)/); // or cut off with what it had not read yet
  assert.ok(going.status === 202 || going.status === 416, String(going.body)); // what hung may have kept some more
  using next = new WorkerClient(place.registry.port); // the rest of a body may still be on the other's connection
  const now = await next.send("GET", location);
  const rest = { body: bytes.subarray(Number(/-(\d+)$/.exec(String(now.headers.range))?.[1]) + 1) };
  const end = await next.send("PUT", `${now.headers.location}&digest=${digestOf(bytes)}`, rest);
  assert.equal(end.status, 201, String(end.body));
});

describe("the supervisor", () => {
  test("lets requests in flight finish at SIGTERM, and takes no others", async () => {
    await using place = await startTwo({ http: { draintimeout: "20s" } });
    const { registry } = place;
    const workers = childrenOf(registry.pid);
    assert.equal(workers.length, 2);
    await using first = await hang(place);
    await using second = await hang(place);
    const stopping = registry.stop();
    await until("no connection is accepted", () => refusesConnections(registry.port));
    for (const hanging of [first, second]) {
      hanging.finish();
      assert.match(await hanging.answer, /^HTTP\/1\.1 202/);
    }
    assert.equal(await stopping, 0);
    for (const worker of workers) assert.ok(await isGone(worker));
    assert.match(registry.log, /SIGTERM: stopping 2 workers gracefully/);
  });

  test("ends with code 1 where requests had to be cut off", async () => {
    await using place = await startTwo({ http: { draintimeout: "100ms" } });
    await using hanging = await hang(place);
    assert.equal(await place.registry.stop(), 1);
    assert.equal(await hanging.answer, "");
  });

  test("leaves no worker behind when it is killed", async () => {
    await using place = await startTwo();
    const workers = childrenOf(place.registry.pid);
    assert.equal(workers.length, 2);
    await place.registry.kill();
    for (const worker of workers) await until("the worker is gone", () => isGone(worker));
    await until("the port is free", () => refusesConnections(place.registry.port));
  });

  test("ends with the worker's message where none can begin", async () => {
    await using folder = await temporaryFolder("workers");
    const configuration = {
      storage: { cache: { blobdescriptor: "inmemory" } },
      wharfinger: { workers: 2, audit: { file: "/dev/null/audit" } },
    };
    const starting = startRegistry("wharfinger", { rootDirectory: folder.path, configuration });
    await assert.rejects(starting, (error: Error) => {
      assert.match(error.message, /it ended \(1\)/);
      const told = error.message.match(/wharfinger\.audit\.file: the file cannot be written/g);
      return told?.length === 1;
    });
  });

  test("says so where another program has the port", async () => {
    await using place = await startTwo();
    await using folder = await temporaryFolder("workers");
    const options = { rootDirectory: folder.path, port: place.registry.port };
    const starting = startRegistry("wharfinger", { ...options, configuration: { wharfinger: { workers: 2 } } });
    await assert.rejects(starting, /cannot listen on .*: another program uses this port/);
  });

  test("listens on the socket of a file system, and takes it away at the end", async () => {
    await using folder = await temporaryFolder("workers");
    const path = folder.join("socket");
    const configuration = { http: { addr: path, net: "unix" }, wharfinger: { workers: 2 } };
    const registry = await startRegistry("wharfinger", { rootDirectory: folder.path, configuration });
    const { promise, resolve } = Promise.withResolvers<string>();
    const socket = connect(path).on("data", (bytes) => resolve(String(bytes)));
    socket.write("GET /v2/ HTTP/1.1\r\nHost: a\r\n\r\n");
    assert.match(await promise, /^HTTP\/1\.1 200/);
    socket.destroy();
    assert.equal(await registry.stop(), 0);
    assert.equal(existsSync(path), false);
    await registry[Symbol.asyncDispose]();
  });
});

describe("SIGHUP", () => {
  test("has all workers go on with the next configuration, and those that come later", async () => {
    await using place = await reloadable();
    const { registry, write } = place;
    assert.deepEqual(await marksOf(registry), ["a", "a"]);
    await write({ ...marked("b"), wharfinger: { workers: 2, exclusive: true } });
    process.kill(registry.pid, "SIGHUP");
    await until("it is reloaded", () => registry.log.includes("configuration reloaded: http.headers changed"));
    assert.equal(registry.log.match(/configuration reloaded/g)?.length, 1);
    assert.match(registry.log, /wharfinger\.exclusive changed; restart for it to take effect/);
    assert.deepEqual(await marksOf(registry), ["b", "b"]);
    const [victim] = childrenOf(registry.pid);
    assert.ok(victim);
    await write(marked("c")); // not asked to read it
    process.kill(victim, "SIGKILL");
    await until("another one serves", () => registry.log.includes("serves again"));
    assert.deepEqual(await marksOf(registry), ["b", "b"]);
  });

  test("waits for a worker that has only just been started", async () => {
    await using place = await reloadable();
    const { registry, write } = place;
    const [victim] = childrenOf(registry.pid);
    assert.ok(victim);
    await write(marked("b"));
    process.kill(victim, "SIGKILL");
    const isReplaced = (): boolean => {
      const now = childrenOf(registry.pid);
      return now.length === 2 && !now.includes(victim);
    };
    await until("another one starts", isReplaced);
    process.kill(registry.pid, "SIGHUP");
    await until("it is reloaded, or not", () => /configuration (?:was not )?reloaded/.test(registry.log));
    assert.deepEqual(await marksOf(registry), ["b", "b"], registry.log);
    assert.equal(registry.log.match(/SIGKILL/g)?.length, 1);
    process.kill(registry.pid, "SIGHUP"); // all agree to what they have
    await until("it is reloaded again", () => registry.log.includes("configuration reloaded: nothing changed"));
  });

  test("leaves everything as it is where the next configuration cannot be used", async () => {
    await using place = await reloadable();
    const { registry, write, folder } = place;
    await write({ tags: { maxtags: 0.5 }, ...marked("b") });
    process.kill(registry.pid, "SIGHUP");
    await until("it is refused", () => registry.log.includes("the configuration was not reloaded"));
    assert.deepEqual(await marksOf(registry), ["a", "a"]);
    await write({ ...marked("b"), auth: { htpasswd: { realm: "a", path: folder.join("missing") } } });
    process.kill(registry.pid, "SIGHUP");
    await until("it is refused", () => registry.log.includes("auth.htpasswd.path"));
    assert.deepEqual(await marksOf(registry), ["a", "a"]);
  });
});

/** Which configuration each worker has. */
async function marksOf(registry: RegistryProcess): Promise<readonly unknown[]> {
  const clients = [...(await clientsOfWorkers(registry)).values()];
  const answers = await Promise.all(clients.map((client) => client.send("GET", "/v2/")));
  for (const client of clients) client[Symbol.dispose]();
  return answers.map(({ headers }) => headers["x-mark"]);
}

function marked(mark: string): Configuration {
  return { http: { headers: { "X-Mark": [mark] } } };
}

interface Reloadable extends Place {
  readonly write: (over: Configuration) => Promise<void>;
}

async function reloadable(): Promise<Reloadable> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder("workers"));
  const port = await freePort();
  const path = folder.join("config.yml");
  const write = async (over: Configuration): Promise<void> => {
    const whole = { wharfinger: { workers: 2 }, ...over };
    await writeFile(path, stringify(registryConfiguration(folder.path, port, whole)));
  };
  await write(marked("a"));
  const options = { rootDirectory: folder.path, configurationPath: path, port };
  const registry = stack.use(await startRegistry("wharfinger", options));
  const owned = stack.move();
  return { folder, registry, write, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

interface Hanging extends AsyncDisposable {
  /** Has the connection, and the upload. */
  readonly worker: number;
  readonly location: string;
  readonly bytes: Uint8Array;
  /** Of another worker. */
  readonly other: WorkerClient;
  /** What came back in the end; "" where nothing did. */
  readonly answer: Promise<string>;
  /** Sends what is missing. */
  finish(): void;
}

/** What the storage has of 4,000,000 bytes of a body that goes on: whole buffers. */
const SENT = "0-3932159";

/** An upload of which one worker has received a part, and waits for more. */
async function hang({ registry }: Place): Promise<Hanging> {
  const clients = await clientsOfWorkers(registry);
  const [starting] = clients.values();
  const location = String((await starting?.send("POST", "a/blobs/uploads/"))?.headers.location);
  const bytes = noise(6_000_000, 1);
  const { promise: answer, resolve } = Promise.withResolvers<string>();
  const socket = connect(registry.port, "127.0.0.1");
  socket.on("data", (chunk) => resolve(String(chunk))).on("error", () => resolve(""));
  socket.on("close", () => resolve(""));
  socket.write(`PATCH ${pathOf(location)} HTTP/1.1\r\nHost: a\r\nContent-Length: ${bytes.length}\r\n\r\n`);
  socket.write(bytes.subarray(0, 4_000_000));
  await until("a part has arrived", async () => (await starting?.send("GET", location))?.headers.range === SENT);
  const worker = workerOf(registry, socket.localPort ?? 0) ?? 0;
  const other = [...clients].find(([pid]) => pid !== worker)?.[1];
  assert.ok(other);
  return {
    ...{ worker, location, bytes, other, answer },
    finish: () => void socket.write(bytes.subarray(4_000_000)),
    async [Symbol.asyncDispose]() {
      socket.destroy();
      for (const client of clients.values()) client[Symbol.dispose]();
    },
  };
}

function pathOf(location: string): string {
  return new URL(location, "http://a").href.slice("http://a".length);
}

async function refusesConnections(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, "127.0.0.1");
  socket.on("connect", () => resolve(false)).on("error", () => resolve(true));
  const refuses = await promise;
  socket.destroy();
  return refuses;
}
