import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { startApi } from "../../test/support/api.ts";
import { failingDriver } from "../../test/support/failing-driver.ts";
import { digestOf } from "../oci/digest.ts";
import { StorageError } from "../storage/errors.ts";
import { MemoryDriver } from "../storage/memory.ts";
import { observedDriver } from "../storage/observed-driver.ts";
import { CountedSum } from "./counted-sum.ts";
import { type Metrics, type MetricsOptions, openMetrics } from "./metrics.ts";

const HEALTH = { checks: () => ["a", "b"], failures: () => ({ b: "broken" }) };

describe("metrics of requests", () => {
  test("count them by code, handler and method, and leave out what is no route", async () => {
    const metrics = open();
    await using api = await startApi(new MemoryDriver(), { observers: [metrics.observer] });
    await api.send("GET", "/v2/");
    await api.send("GET", "/v2/");
    await api.send("HEAD", "/v2/a/manifests/v1");
    await api.send("POST", "/v2/a/blobs/uploads/");
    await api.send("PATCH", "/v2/a/blobs/uploads/x");
    await api.send("DELETE", "/v2/a/tags/list");
    await api.send("PROPFIND", "/v2/_catalog");
    for (const path of ["/", "/nowhere", "/v2/a/x"]) await api.send("GET", path);
    assert.deepEqual(await samples(metrics, "registry_http_requests_total"), [
      '{code="200",handler="base",method="get"} 2',
      '{code="202",handler="blob_upload",method="post"} 1',
      '{code="404",handler="blob_upload_chunk",method="patch"} 1',
      '{code="404",handler="manifest",method="head"} 1',
      '{code="405",handler="catalog",method="unknown"} 1',
      '{code="405",handler="tags",method="delete"} 1',
    ]);
  });

  test("measure times by handler and method, sizes by handler", async () => {
    const metrics = open();
    const bytes = Buffer.from("a blob");
    const digest = digestOf(bytes);
    await using api = await startApi(new MemoryDriver(), { observers: [metrics.observer] });
    await api.send("POST", `/v2/a/blobs/uploads/?digest=${digest}`, { body: bytes });
    await api.send("GET", `/v2/a/blobs/${digest}`);
    assert.deepEqual(await samples(metrics, "registry_http_request_duration_seconds_count"), [
      '{handler="blob",method="get"} 1',
      '{handler="blob_upload",method="post"} 1',
    ]);
    assert.deepEqual(await samples(metrics, "registry_http_response_size_bytes_sum"), [
      `{handler="blob"} ${bytes.length}`,
      '{handler="blob_upload"} 0',
    ]);
    const sizes = await samples(metrics, "registry_http_request_size_bytes_bucket");
    const bounds = sizes.flatMap((line) => /le="(\d+)",handler="blob"/.exec(line)?.[1] ?? []);
    assert.deepEqual(
      bounds.map(Number).sort((a, b) => a - b),
      Array.from({ length: 22 }, (_, power) => 2 ** (10 + power)),
    );
  });

  test("know those that are handled right now", async () => {
    const metrics = open();
    const inFlight = async (): Promise<readonly string[]> => {
      const lines = await samples(metrics, "registry_http_in_flight_requests");
      return lines.filter((line) => !line.endsWith(" 0"));
    };
    const [asking, going] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const slow = observedDriver(new MemoryDriver(), async (_call, proceed) => {
      asking.resolve();
      await going.promise;
      return await proceed();
    });
    await using api = await startApi(slow, { observers: [metrics.observer] });
    const asked = api.send("GET", "/v2/a/tags/list");
    await asking.promise;
    assert.deepEqual(await inFlight(), ['{handler="tags"} 1']);
    going.resolve();
    assert.equal((await asked).status, 404);
    assert.deepEqual(await inFlight(), []);
  });
});

test("metrics of the storage time every call but readers and writers, failures too", async () => {
  const metrics = open();
  const { driver: inner, fail } = failingDriver(new MemoryDriver());
  const driver = observedDriver(inner, metrics.timeStorage("s3aws"));
  await driver.putContent("/a/b", Buffer.from("x"));
  await driver.getContent("/a/b");
  await driver.move("/a/b", "/a/c");
  await driver.list("/a");
  await driver.stat("/a/c");
  await (await driver.reader("/a/c"))[Symbol.asyncDispose]();
  await (await driver.writer("/a/d", { append: false })).commit();
  await driver.delete("/a/c");
  fail("stat", () => new StorageError("inmemory", "broken"));
  await assert.rejects(driver.stat("/a"));
  assert.deepEqual(await samples(metrics, "registry_storage_action_seconds_count"), [
    ...["Delete", "GetContent", "List", "Move", "PutContent"].map((action) => `{driver="s3aws",action="${action}"} 1`),
    '{driver="s3aws",action="Stat"} 2',
  ]);
});

test("metrics of the cache are there in the words of 2.8 and of 3.x", async () => {
  const metrics = open();
  let requests = 5;
  metrics.tell({ cache: () => ({ requests, hits: 3, misses: 1, errors: 1 }) });
  requests = 6;
  assert.deepEqual(await samples(metrics, "registry_storage_cache"), [
    "_errors_total 1",
    "_hits_total 3",
    "_requests_total 6",
    '_total{type="Hit"} 3',
    '_total{type="Miss"} 1',
    '_total{type="Request"} 6',
  ]);
});

test("metrics of notifications are there by endpoint", async () => {
  const metrics = open();
  const counts = {
    pending: 7,
    events: 9,
    successes: 2,
    failures: 3,
    errors: 4,
    dropped: 6,
    statuses: { "200 OK": 2, "503 No": 3 },
  };
  metrics.tell({ endpoints: () => [{ name: "hook", ...counts }] });
  assert.deepEqual(await samples(metrics, "registry_notifications"), [
    '_events_total{type="Errors",endpoint="hook"} 4',
    '_events_total{type="Events",endpoint="hook"} 9',
    '_events_total{type="Failures",endpoint="hook"} 3',
    '_events_total{type="Successes",endpoint="hook"} 2',
    '_pending_total{endpoint="hook"} 7',
    '_status_total{code="200 OK",endpoint="hook"} 2',
    '_status_total{code="503 No",endpoint="hook"} 3',
  ]);
  assert.deepEqual(await samples(metrics, "wharfinger_notifications_dropped_total"), ['{endpoint="hook"} 6']);
});

test("metrics of our own tell versions and health", async () => {
  const metrics = open();
  assert.deepEqual(await samples(metrics, "wharfinger_build_info"), [`{version="1.2.3",node="${process.version}"} 1`]);
  assert.deepEqual(await samples(metrics, "wharfinger_health_check_up"), ['{check="a"} 1', '{check="b"} 0']);
});

test("metrics of health leave out a check that has gone", async () => {
  let checks = ["a", "b"];
  const metrics = open({ ...HEALTH, checks: () => checks });
  await metrics.read();
  checks = ["b"];
  assert.deepEqual(await samples(metrics, "wharfinger_health_check_up"), ['{check="b"} 0']);
});

function open(health: MetricsOptions["health"] = HEALTH): Metrics {
  return openMetrics({ version: "1.2.3", health, counts: new CountedSum() });
}

/** What follows `prefix` in the lines that begin with it, sorted. */
async function samples(metrics: Metrics, prefix: string): Promise<readonly string[]> {
  const lines = (await metrics.read()).split("\n").filter((line) => line.startsWith(prefix));
  return lines.map((line) => line.slice(prefix.length)).sort();
}
