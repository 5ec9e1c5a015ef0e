import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { setTimeout as pause, setImmediate } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { EventStore } from "../../src/notifications/event-store.ts";
import { type Reaction, startReceiver } from "../support/event-receiver.ts";
import { freePort } from "../support/free-port.ts";
import { RegistryClient } from "../support/registry-client.ts";
import {
  type Configuration,
  type RegistryProcess,
  registryConfiguration,
  startRegistry,
} from "../support/registry-process.ts";
import { tryRun } from "../support/run.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { inForm, MIB } from "./form.ts";
import { endpointsAt, expectAll, Pusher, pushedOf } from "./notified-pushes.ts";
import { residentOf, WITHOUT_FIGURES } from "./process-figures.ts";
import { Seeded } from "./seeded.ts";
import { smallDisk } from "./small-disk.ts";
import { until } from "./until.ts";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const KILLS = inForm(6, 40);
/** 100 MB in the short form, 1 GB in the long one: far more than memory may grow. */
const WAITING = { count: inForm(1_000, 100_000), size: inForm(100_000, 10_000) };

const hangUp: Reaction = (request) => request.socket.destroy();
const silence: Reaction = () => undefined;
const late: Reaction = { status: 200, after: 30 };

/** Each has processes of its own, and mostly waits for them. */
describe("notifications", { concurrency: 3 }, () => {
  test(`are neither lost nor reordered over ${KILLS} kills, with an endpoint that fails in every way`, async (t) => {
    await using folder = await temporaryFolder("notifications");
    await using receiver = await startReceiver();
    const random = new Seeded(7);
    receiver.react((count) => (count % 40 === 10 ? silence : random.pick([200, 200, late, 500, 503, hangUp])));
    const pusher = new Pusher(1);
    for (let kill = 1; kill <= KILLS; kill += 1) {
      await using registry = await startRegistry("wharfinger", {
        rootDirectory: folder.path,
        configuration: endpointsAt(receiver.url),
      });
      await pushUntilKilled(pusher, registry, random.whole(1, 10), random.whole(0, 30));
    }
    receiver.react(() => 200);
    await using _ = await startRegistry("wharfinger", {
      rootDirectory: folder.path,
      configuration: endpointsAt(receiver.url),
    });
    const last = pusher.acknowledged.at(-1) ?? "";
    await receiver.has((one) => pushedOf(one).includes(last));
    expectAll(receiver, pusher, KILLS);
    t.diagnostic(`${pusher.acknowledged.length} pushes, ${receiver.requests.length} requests`);
    assert.ok(pusher.acknowledged.length >= KILLS);
  });

  test("are delivered after a kill while the endpoint was not there at all", async () => {
    await using folder = await temporaryFolder("notifications");
    const port = await freePort();
    const configuration = endpointsAt(`http://127.0.0.1:${port}/events`);
    const pusher = new Pusher(2);
    await using registry = await startRegistry("wharfinger", { rootDirectory: folder.path, configuration });
    const http = new RegistryClient(registry.url);
    for (let index = 0; index < 20; index += 1) await pusher.push(http);
    await registry.kill();
    await using receiver = await startReceiver({ port });
    await using _ = await startRegistry("wharfinger", { rootDirectory: folder.path, configuration });
    await receiver.has((one) => new Set(pushedOf(one)).size === 20);
    expectAll(receiver, pusher, 0);
  });

  test("do not make a request wait for an endpoint, nor one endpoint for another", async () => {
    await using folder = await temporaryFolder("notifications");
    await using stuck = await startReceiver();
    stuck.react(() => silence);
    await using receiver = await startReceiver();
    const endpoints = [stuck.url, receiver.url].map((url, index) => ({ name: `e${index}`, url, timeout: "1h" }));
    const configuration = { notifications: { endpoints }, http: { draintimeout: "0s" } };
    await using registry = await startRegistry("wharfinger", { rootDirectory: folder.path, configuration });
    const pusher = new Pusher(3);
    for (let index = 0; index < 5; index += 1) await pusher.push(new RegistryClient(registry.url));
    await receiver.has((one) => pushedOf(one).length === 5);
    assert.equal(stuck.requests.length, 1);
  });

  test("of two registries on one folder are each delivered once, also when one of them is killed", async () => {
    await using folder = await temporaryFolder("notifications");
    await using receiver = await startReceiver();
    const options = { rootDirectory: folder.path, configuration: endpointsAt(receiver.url) };
    await using one = await startRegistry("wharfinger", options);
    await using two = await startRegistry("wharfinger", options);
    const [first, second] = [new Pusher(4), new Pusher(5)];
    for (let index = 0; index < 10; index += 1) {
      await first.push(new RegistryClient(one.url));
      await second.push(new RegistryClient(two.url));
    }
    await receiver.has((each) => pushedOf(each).length >= 20);
    assert.equal(new Set(pushedOf(receiver)).size, 20);
    await one.kill();
    for (let index = 0; index < 10; index += 1) await second.push(new RegistryClient(two.url));
    const all = [...first.acknowledged, ...second.acknowledged];
    await receiver.has((each) => new Set(pushedOf(each)).size === all.length);
    for (const pusher of [first, second]) expectAll(receiver, pusher, 1);
  });

  test("that wait when the registry ends are delivered before it does, pulls too, as far as it has time", async () => {
    await using folder = await temporaryFolder("notifications");
    await using receiver = await startReceiver();
    const configuration = { ...endpointsAt(receiver.url), http: { draintimeout: "20s" } };
    await using registry = await startRegistry("wharfinger", { rootDirectory: folder.path, configuration });
    const pusher = new Pusher(6);
    await pusher.push(new RegistryClient(registry.url));
    assert.equal(await new RegistryClient(registry.url).statusOf("a/b", "blobs", pusher.acknowledged[0] ?? ""), 200);
    assert.equal(await registry.stop(), 0);
    assert.deepEqual(
      receiver.events.map(({ action }) => action),
      ["push", "pull"],
    );
  });

  test("of an endpoint that is configured no longer wait for days, and those of a disabled one for ever", async () => {
    await using folder = await temporaryFolder("notifications");
    const url = `http://127.0.0.1:${await freePort()}/`;
    const pusher = new Pusher(8);
    const options = { rootDirectory: folder.path, configuration: endpointsAt(url, url) };
    {
      await using registry = await startRegistry("wharfinger", options);
      await pusher.push(new RegistryClient(registry.url));
    }
    await using receiver = await startReceiver();
    const endpoints = [
      { name: "e1", url, disabled: true },
      { name: "new", url: receiver.url },
    ];
    const configuration = { notifications: { endpoints } };
    await using registry = await startRegistry("wharfinger", { rootDirectory: folder.path, configuration });
    assert.match(registry.log, /endpoint e1 disabled, skipping/);
    await pusher.push(new RegistryClient(registry.url));
    await receiver.has((one) => one.events.length === 1);
    assert.deepEqual(await statusLines(folder, configuration), [
      "e1: 1 event (N bytes) wait since TIME; fails since TIME, last at TIME: connect ECONNREFUSED ADDRESS",
      "new: nothing waits",
      "e0: 1 event (N bytes) wait since TIME; fails since TIME, last at TIME: connect ECONNREFUSED ADDRESS",
    ]);
    assert.doesNotMatch(registry.log, /were dropped/);
  });

  test("go on from memory where there is no place for the queue, and say so", async () => {
    await using folder = await temporaryFolder("notifications");
    await using receiver = await startReceiver();
    await writeFile(folder.join("wharfinger"), "no folder");
    const options = { rootDirectory: folder.path, configuration: endpointsAt(receiver.url) };
    await using registry = await startRegistry("wharfinger", options);
    const pusher = new Pusher(9);
    await pusher.push(new RegistryClient(registry.url));
    await receiver.has((one) => pushedOf(one).length === 1);
    assert.match(registry.log, /notifications cannot be kept in .* and would be lost at a restart/);
  });

  test("wait in memory while the disk of the queue is full, and pushes succeed", async (t) => {
    await using disk = await smallDisk(2 * MIB);
    if (!disk) return t.skip("this process may not mount");
    await using folder = await temporaryFolder("notifications");
    await using receiver = await startReceiver();
    receiver.react(() => 500);
    const configuration = { ...endpointsAt(receiver.url), wharfinger: { datadir: `${disk.path}/q` } };
    await using registry = await startRegistry("wharfinger", { rootDirectory: folder.path, configuration });
    const pusher = new Pusher(10);
    const http = new RegistryClient(registry.url);
    await pusher.push(http);
    const fill = tryRun("dd", ["if=/dev/zero", `of=${disk.path}/full`, "bs=4096"]);
    assert.notEqual((await fill).exitCode, 0);
    while (!/notifications cannot be kept, and wait in memory/.test(registry.log)) await pusher.push(http);
    for (let index = 0; index < 10; index += 1) await pusher.push(http);
    receiver.react(() => 200);
    await tryRun("rm", [`${disk.path}/full`]);
    await receiver.has((one) => pushedOf(one).length >= pusher.acknowledged.length);
    expectAll(receiver, pusher, 0);
    assert.match(registry.log, /notifications are kept again/);
  });

  test(`take no memory while they wait: ${WAITING.count} of them`, { skip: WITHOUT_FIGURES }, async (t) => {
    const { count, size } = WAITING;
    await using folder = await temporaryFolder("notifications");
    await using receiver = await startReceiver({ brief: true });
    receiver.react(() => 500);
    const options = { rootDirectory: folder.path, configuration: endpointsAt(receiver.url) };
    await using registry = await startRegistry("wharfinger", options);
    await until("the queue is open", () => existsSync(folder.join("wharfinger", "notifications.db")));
    const before = residentOf(registry.pid);
    const body = (id: number): string => JSON.stringify({ events: [{ id: String(id), text: "x".repeat(size) }] });
    {
      const path = folder.join("wharfinger", "notifications.db");
      using store = new EventStore({ path, limit: 2 ** 31, now: Date.now });
      for (let from = 0; from < count; from += 100) {
        const ids = Array.from({ length: 100 }, (_, index) => from + index);
        store.add(ids.map((id) => ({ endpoint: "e0", pull: false, body: body(id) })));
        await setImmediate(); // the receivers of other tests answer in time
      }
    }
    await receiver.has(({ requests }) => requests.length > 0);
    receiver.react(() => 200);
    await receiver.has(({ events }) => Number(events.at(-1)?.id) === count - 1);
    const growth = residentOf(registry.pid) - before;
    t.diagnostic(`${count} events of ${size} bytes: ${Math.round(growth / MIB)} MiB more`);
    assert.ok(growth < 60 * MIB, `${growth} bytes`);
    const ids = receiver.events.map(({ id }) => Number(id));
    const told = ids.filter((id, index) => id !== ids[index - 1]); // again where our answer came too late
    assert.deepEqual(
      told,
      Array.from({ length: count }, (_, index) => index),
    );
  });
});

/** Somewhere in a push, after so many of them. */
async function pushUntilKilled(
  pusher: Pusher,
  registry: RegistryProcess,
  pushes: number,
  delay: number,
): Promise<void> {
  const http = new RegistryClient(registry.url);
  for (let index = 0; index < pushes; index += 1) await pusher.push(http);
  const last = pusher.push(http).catch(() => undefined);
  await pause(delay);
  await registry.kill();
  await last;
}

/** What the command prints, without what differs from run to run. */
async function statusLines(folder: TemporaryFolder, configuration: Configuration): Promise<readonly string[]> {
  const path = folder.join("status.yml");
  await writeFile(path, stringify(registryConfiguration(folder.path, 0, configuration)));
  const { stdout, stderr } = await tryRun(process.execPath, [MAIN, "notifications", "status", path]);
  assert.equal(stderr, "");
  return stdout
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME")
    .replace(/\d+ bytes/g, "N bytes")
    .replace(/127\.0\.0\.1:\d+/g, "ADDRESS")
    .trim()
    .split("\n");
}
