import assert from "node:assert/strict";
import { test } from "node:test";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Report } from "./report.ts";
import { ReportSum } from "./report-sum.ts";

/** A process that counts, as it reports. */
function source(counts: { requests: number; open: number; up?: number; pending?: number }) {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Counter({ name: "requests_total", help: "-", labelNames: ["code"], registers });
  const seconds = new Histogram({ name: "seconds", help: "-", buckets: [1, 2], registers });
  new Gauge({ name: "open", help: "-", registers }).set(counts.open);
  new Gauge({ name: "up", help: "-", aggregator: "min", registers }).set(counts.up ?? 1);
  requests.inc({ code: "200" }, counts.requests);
  for (let count = 0; count < counts.requests; count += 1) seconds.observe(1.5);
  const { requests: events, pending = 0 } = counts;
  return async (): Promise<Report> => ({
    metrics: JSON.parse(JSON.stringify(await registry.getMetricsAsJSON())),
    failures: {},
    cache: { requests: events, hits: 1, misses: 0, errors: 0 },
    endpoints: [{ name: "a", pending, events, successes: 0, failures: 0, errors: 0, dropped: 0, statuses: {} }],
    memory: process.memoryUsage(),
    resources: process.resourceUsage(),
  });
}

async function linesOf(sum: ReportSum<object>, name: RegExp): Promise<readonly string[]> {
  return (await sum.metrics()).split("\n").filter((line) => name.test(line));
}

test("counters and histograms are added up, and gauges as they say", async () => {
  const sum = new ReportSum<object>();
  sum.note({}, await source({ requests: 2, open: 3 })());
  sum.note({}, await source({ requests: 5, open: 4, up: 0 })());
  assert.deepEqual(await linesOf(sum, /^(requests_total|open|up|seconds_count|seconds_bucket.*le="2")/), [
    'requests_total{code="200"} 7',
    'seconds_bucket{le="2"} 7',
    "seconds_count 7",
    "open 7",
    "up 0",
  ]);
  assert.equal((await linesOf(sum, /^process_start_time_seconds /)).length, 1);
});

test("what processes counted that have ended goes on to count, and what they had open does not", async () => {
  const sum = new ReportSum<object>();
  for (let count = 1; count <= 3; count += 1) {
    const one = {};
    sum.note(one, await source({ requests: count, open: 9, pending: 4 })());
    sum.leave(one);
  }
  sum.note({}, await source({ requests: 10, open: 1, pending: 2 })());
  for (const _ of [1, 2]) {
    const lines = await linesOf(sum, /^(requests_total|open|seconds_count)/);
    assert.deepEqual([...lines].sort(), ["open 1", 'requests_total{code="200"} 16', "seconds_count 16"]);
  }
  const { cache, endpoints } = sum.counts;
  assert.deepEqual([cache?.requests, endpoints[0]?.events, endpoints[0]?.pending], [16, 16, 2]);
});

test("no count is lost of a process that ends while several ask", async () => {
  const sum = new ReportSum<object>();
  const [early, late] = [[{}, {}], {}];
  for (const one of early) sum.note(one, await source({ requests: 1, open: 0 })());
  sum.note(late, await source({ requests: 5, open: 0 })());
  for (const one of early) sum.leave(one);
  const asked = [sum.metrics(), sum.metrics()];
  sum.leave(late);
  await Promise.all(asked);
  assert.deepEqual(await linesOf(sum, /^requests_total/), ['requests_total{code="200"} 7']);
});

test("what waits in the queue that all processes share is not added up", async () => {
  const sum = new ReportSum<object>();
  for (const pending of [3, 5]) sum.note({}, await source({ requests: 1, open: 0, pending })());
  assert.equal(sum.counts.endpoints[0]?.pending, 5);
});
