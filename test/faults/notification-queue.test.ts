import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { describe, test } from "node:test";
import { startReceiver } from "../support/event-receiver.ts";
import { freePort } from "../support/free-port.ts";
import { contentOf, imageOf, layerOfArchive, noise } from "../support/image.ts";
import { RegistryClient } from "../support/registry-client.ts";
import { type Configuration, type RegistryProcess, startRegistry } from "../support/registry-process.ts";
import { tryRun } from "../support/run.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { MIB } from "./form.ts";
import { endpointsAt, expectAll, Pusher } from "./notified-pushes.ts";
import { smallDisk } from "./small-disk.ts";
import { until } from "./until.ts";

const LAYER = layerOfArchive(noise(100, 1), "none");
const IMAGE = imageOf([LAYER]);
const { digest: BLOB } = LAYER.descriptor;
const { digest: DIGEST } = IMAGE.manifest.descriptor;

/** What changes something, and the last event that it makes. */
const CHANGES: readonly (readonly [event: string, work: (http: RegistryClient) => Promise<unknown>])[] = [
  [`push ${BLOB}`, (http) => http.pushBlob("a", LAYER)],
  [`mount ${BLOB}`, (http) => http.request(`b/blobs/uploads/?mount=${BLOB}&from=a`, { method: "POST" })],
  [`push ${DIGEST} v1`, (http) => http.push("a", "v1", IMAGE)],
  [`push ${DIGEST}`, (http) => http.putManifest("a", DIGEST, IMAGE.manifest)],
  ["delete  v1", (http) => http.delete("a", "manifests", "v1")],
  [`delete ${BLOB}`, (http) => http.delete("b", "blobs", BLOB)],
  [`delete ${DIGEST}`, (http) => http.delete("a", "manifests", DIGEST)],
];

describe("the queue of notifications", { concurrency: 3 }, () => {
  test("has every change before its answer, and all of them after a kill right behind the last one", async () => {
    await using folder = await temporaryFolder("queue");
    const port = await freePort();
    const options = { rootDirectory: folder.path, configuration: endpointsAt(`http://127.0.0.1:${port}/`) };
    await using registry = await startRegistry("wharfinger", options);
    const http = new RegistryClient(registry.url);
    for (const [event, work] of CHANGES) {
      await work(http);
      assert.equal(queuedIn(folder).at(-1), event);
    }
    await registry.kill();
    const queued = queuedIn(folder);
    await using receiver = await startReceiver({ port });
    await using _ = await startRegistry("wharfinger", options);
    await receiver.has(({ events }) => events.length >= queued.length);
    assert.deepEqual(
      receiver.events.map(({ action, target }) => lineOf(action, target)),
      queued,
    );
  });

  test("lets the oldest pulls go where it is full, counted and logged, and never holds a request up", async () => {
    await using folder = await temporaryFolder("queue");
    const [port, debugPort] = [await freePort(), await freePort()];
    await using registry = await startRegistry("wharfinger", {
      rootDirectory: folder.path,
      configuration: {
        ...endpointsAt(`http://127.0.0.1:${port}/`),
        http: { debug: { addr: `127.0.0.1:${debugPort}`, prometheus: { enabled: true } } },
        wharfinger: { notifications: { queuesize: MIB } },
      },
    });
    const pusher = new Pusher(11);
    const http = new RegistryClient(registry.url);
    for (let index = 0; index < 40; index += 1) await pusher.push(http);
    const path = `a/b/blobs/${pusher.acknowledged[0]}`;
    for (let index = 0; index < PULLS; index += 1) {
      const headers = { "User-Agent": `${index} ${"x".repeat(6000)}` };
      assert.equal((await http.request(path, { method: "HEAD", headers })).status, 200);
    }
    for (let index = 0; index < 10; index += 1) await pusher.push(http);
    const metrics = async (): Promise<string> => await (await fetch(`http://127.0.0.1:${debugPort}/metrics`)).text();
    await until("the drops are counted", async () => droppedIn(await metrics()) > 0);
    await until("all is counted", async () => droppedIn(await metrics()) + queuedIn(folder).length === PULLS + 50);
    await until("the drops are logged", () =>
      /the queue of notifications is full: \d+ events for endpoint e0 were dropped, oldest pulls first/.test(
        registry.log,
      ),
    );
    await using receiver = await startReceiver({ port });
    await receiver.has(({ events }) => events.some(({ target }) => target["digest"] === pusher.acknowledged.at(-1)));
    expectAll(receiver, pusher, 0);
    const pulls = receiver.events.filter(({ action }) => action === "pull");
    const numbers = pulls.map(({ request }) => Number.parseInt(String(request["useragent"]), 10));
    assert.ok(numbers.length > 50 && numbers.length < PULLS);
    assert.deepEqual(
      numbers,
      Array.from({ length: numbers.length }, (_, index) => PULLS - numbers.length + index),
    );
  });

  test("that no disk took in time is lost with the process, which says how many events; no push is", async (t) => {
    await using disk = await smallDisk(2 * MIB);
    if (!disk) return t.skip("this process may not mount");
    await using folder = await temporaryFolder("queue");
    const configuration = {
      ...endpointsAt(`http://127.0.0.1:${await freePort()}/`),
      wharfinger: { datadir: `${disk.path}/q` },
    };
    await using registry = await startRegistry("wharfinger", { rootDirectory: folder.path, configuration });
    const http = new RegistryClient(registry.url);
    await http.pushBlob("a", LAYER);
    assert.notEqual((await tryRun("dd", ["if=/dev/zero", `of=${disk.path}/full`, "bs=4096"])).exitCode, 0);
    const pushed = [];
    while (!/notifications cannot be kept, and wait in memory/.test(registry.log)) {
      pushed.push(contentOf(noise(100, pushed.length + 2), "any"));
      await http.pushBlob("a", pushed.at(-1) ?? LAYER);
    }
    await http.push("a", "v1", IMAGE);
    assert.equal(await registry.stop(), 0);
    const lost = /level=error msg="(\d+) events could not be kept, and are lost"/.exec(registry.log)?.[1];
    assert.ok(Number(lost) > IMAGE.blobs.length, `${lost} events`);
    await using again = await startRegistry("wharfinger", { rootDirectory: folder.path });
    const client = new RegistryClient(again.url);
    for (const blob of pushed) await client.expectBlob("a", blob);
    await client.expectImage("a", "v1", IMAGE);
  });

  test("that is damaged at the start is set aside, and new events are told", async () => {
    await using folder = await temporaryFolder("queue");
    await using receiver = await startReceiver();
    const pusher = new Pusher(12);
    {
      await using registry = await startFor(folder, endpointsAt(`http://127.0.0.1:${await freePort()}/`));
      await pusher.push(new RegistryClient(registry.url));
    }
    await writeFile(folder.join("wharfinger", "notifications.db"), noise(50_000, 1));
    await using registry = await startFor(folder, endpointsAt(receiver.url));
    const later = new Pusher(13);
    await later.push(new RegistryClient(registry.url));
    await receiver.has(({ events }) => events.length > 0);
    expectAll(receiver, later, 0);
    assert.match(
      registry.log,
      /level=error msg=".*notifications\.db is damaged \(file is not a database\): it is now /,
    );
  });
});

/** 2 MB of events, and 300 kB of pushes before. */
const PULLS = 300;

function startFor({ path }: TemporaryFolder, configuration: Configuration): Promise<RegistryProcess> {
  return startRegistry("wharfinger", { rootDirectory: path, configuration });
}

/** What waits, read as another process does. */
function queuedIn(folder: TemporaryFolder): readonly string[] {
  const database = new DatabaseSync(folder.join("wharfinger", "notifications.db"), { readOnly: true });
  const rows = database.prepare("SELECT body FROM events ORDER BY seq").all();
  database.close();
  return rows.map(({ body }) => {
    const { action, target } = JSON.parse(String(body)).events[0];
    return lineOf(action, target);
  });
}

function lineOf(action: string, target: Readonly<Record<string, unknown>>): string {
  return [action, target["digest"], target["tag"]].filter((part) => part !== undefined).join(" ");
}

function droppedIn(metrics: string): number {
  return Number(/^wharfinger_notifications_dropped_total\{endpoint="e0"\} (\d+)$/m.exec(metrics)?.[1]);
}
