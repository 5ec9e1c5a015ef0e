import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { until } from "../faults/until.ts";
import { unlessDebian } from "../setup.ts";
import { startReceiver } from "../support/event-receiver.ts";
import { freePort } from "../support/free-port.ts";
import { writeOciLayout } from "../support/oci-layout.ts";
import { startRedis } from "../support/redis.ts";
import { RegistryClient } from "../support/registry-client.ts";
import { type RegistryKind, startRegistry } from "../support/registry-process.ts";
import { run } from "../support/run.ts";
import { bulkyImage } from "../support/samples.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

describe("metrics after skopeo's push and pull", { skip: unlessDebian("docker-registry", "skopeo") }, () => {
  test("have every name of Debian's docker-registry with its kind and labels, and the same counts of requests", async () => {
    const [theirs, ours] = [await metricsOf("docker-registry"), await metricsOf("wharfinger")];
    const [theirSeries, ourSeries] = [seriesOf(theirs), seriesOf(ours)];
    assert.ok(theirSeries.size > 10);
    for (const [name, labels] of theirSeries) assert.deepEqual(ourSeries.get(name), labels, name);
    const puts = (text: string): string | undefined =>
      /^registry_http_requests_total\{code="201",handler="manifest",method="put"\} .*$/m.exec(text)?.[0];
    assert.equal(puts(ours), puts(theirs));
    assert.match(puts(ours) ?? "", / 1$/);
    for (const handler of ["base", "manifest", "blob", "blob_upload", "blob_upload_chunk"]) {
      assert.deepEqual(bucketsOf(ours, handler), bucketsOf(theirs, handler), handler);
    }
  });
});

describe("metrics with everything configured", { skip: unlessDebian("redis-server") }, () => {
  test("have every name of 3.x with its kind and labels, no other of the peers', and all are documented", async () => {
    await using redis = await startRedis();
    await using receiver = await startReceiver();
    receiver.react((count) => (count === 1 ? 500 : 200));
    await using folder = await temporaryFolder("metrics");
    const debugPort = await freePort();
    await using registry = await startRegistry("wharfinger", {
      rootDirectory: folder.path,
      configuration: {
        storage: { cache: { blobdescriptor: "redis" } },
        redis: { addr: redis.address },
        notifications: { endpoints: [{ name: "hook", url: receiver.url }] },
        health: { storagedriver: { enabled: true } },
        http: { debug: { addr: `127.0.0.1:${debugPort}`, prometheus: { enabled: true } } },
      },
    });
    const http = new RegistryClient(registry.url);
    await http.push("team/app", "v1", bulkyImage(1000, 1));
    await http.expectImage("team/app", "v1", bulkyImage(1000, 1));
    await http.referrers("team/app", bulkyImage(1000, 1).manifest.descriptor.digest);
    const metrics = async (): Promise<string> => await (await fetch(`http://127.0.0.1:${debugPort}/metrics`)).text();
    await until("a delivery is counted", async () => /_status_total\{code="200 OK"/.test(await metrics()));
    const text = await metrics();
    const found = [...seriesOf(text)].map(([name, labels]) => [familyOf(name), labels] as const);
    assert.deepEqual(Object.fromEntries(found.filter(([name]) => name in PEERS)), PEERS);
    assert.deepEqual(
      found.filter(([name]) => !(name in PEERS)),
      [],
    );
    for (const [label, values] of Object.entries(VALUES)) assert.deepEqual(valuesOf(text, label), values, label);
    assert.match(text, /^registry_storage_cache_redis_seconds_count\{operation="RepoStat"\} [1-9]/m);
    assert.match(text, /^registry_storage_cache_redis_seconds_count\{operation="RepoSetDescriptor"\} [1-9]/m);
    const page = await readFile(new URL("../../docs/metrics.md", import.meta.url), "utf8");
    for (const [, name = ""] of text.matchAll(/^# TYPE ((?:registry|wharfinger)_\w+)/gm)) {
      assert.ok(page.includes(`\`${name}\``), `${name} is not in docs/metrics.md`);
    }
  });
});

/** @see ops, section 4; by name the kind and the labels */
const PEERS: Readonly<Record<string, readonly string[]>> = {
  registry_http_requests_total: ["counter", "code", "handler", "method"],
  registry_http_in_flight_requests: ["gauge", "handler"],
  registry_http_request_duration_seconds: ["histogram", "handler", "method"],
  registry_http_request_size_bytes: ["histogram", "handler"],
  registry_http_response_size_bytes: ["histogram", "handler"],
  registry_storage_action_seconds: ["histogram", "action", "driver"],
  registry_storage_cache_total: ["counter", "type"],
  registry_storage_cache_requests_total: ["counter"],
  registry_storage_cache_hits_total: ["counter"],
  registry_storage_cache_errors_total: ["counter"],
  registry_storage_cache_redis_seconds: ["histogram", "operation"],
  registry_proxy_requests_total: ["counter", "type"],
  registry_proxy_hits_total: ["counter", "type"],
  registry_proxy_misses_total: ["counter", "type"],
  registry_proxy_pulled_bytes_total: ["counter", "type"],
  registry_proxy_pushed_bytes_total: ["counter", "type"],
  registry_notifications_events_total: ["counter", "endpoint", "type"],
  registry_notifications_pending_total: ["gauge", "endpoint"],
  registry_notifications_status_total: ["counter", "code", "endpoint"],
};

/** Of labels whose values are known, by their series. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  "registry_http_in_flight_requests handler": [
    ...["base", "blob", "blob_upload", "blob_upload_chunk", "catalog", "manifest", "referrers", "tags"],
  ],
  "registry_storage_action_seconds_count driver": ["filesystem"],
  "registry_storage_cache_total type": ["Hit", "Miss", "Request"],
  "registry_storage_cache_redis_seconds_count operation": ["RepoSetDescriptor", "RepoStat", "SetDescriptor", "Stat"],
  "registry_proxy_requests_total type": ["blob", "manifest"],
  "registry_notifications_events_total type": ["Errors", "Events", "Failures", "Successes"],
  "registry_notifications_status_total code": ["200 OK", "500 Internal Server Error"],
};

test("metrics are served where the configuration says, and only where it switches them on", async () => {
  for (const [prometheus, status] of [
    [{ enabled: true, path: "/numbers" }, 200],
    [{ enabled: false, path: "/numbers" }, 404],
  ] as const) {
    const debugPort = await freePort();
    await using registry = await startRegistry("wharfinger", {
      rootDirectory: "",
      driver: { inmemory: {} },
      configuration: { http: { debug: { addr: `127.0.0.1:${debugPort}`, prometheus } } },
    });
    const answer = await fetch(`http://127.0.0.1:${debugPort}/numbers`);
    assert.equal(answer.status, status);
    assert.equal(/providing prometheus metrics on \/numbers/.test(registry.log), prometheus.enabled);
    assert.equal((await fetch(`${registry.url}/numbers`)).status, 404);
  }
});

/** @returns what `/metrics` says after an image went up and came down */
async function metricsOf(kind: RegistryKind): Promise<string> {
  await using folder = await temporaryFolder("metrics");
  const debugPort = await freePort();
  await using registry = await startRegistry(kind, {
    rootDirectory: folder.join("data"),
    configuration: {
      storage: { cache: { blobdescriptor: "inmemory" } },
      http: { debug: { addr: `127.0.0.1:${debugPort}`, prometheus: { enabled: true } } },
    },
  });
  await writeOciLayout(folder.join("layout"), { image: bulkyImage(100_000, 3) });
  const remote = `docker://${registry.host}/team/app:v1`;
  const skopeo = (...args: readonly string[]): Promise<string> => run("skopeo", ["--insecure-policy", "copy", ...args]);
  await skopeo("--dest-tls-verify=false", `oci:${folder.join("layout")}:image`, remote);
  await skopeo("--src-tls-verify=false", remote, `dir:${folder.join("pulled")}`);
  return await (await fetch(`http://127.0.0.1:${debugPort}/metrics`)).text();
}

/** The names of series that begin with `registry_`, each with its kind and the names of its labels but `le`. */
function seriesOf(text: string): ReadonlyMap<string, readonly string[]> {
  const kinds = new Map([...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name = "", kind = ""]) => [name, kind]));
  const lines = text.matchAll(/^(registry_\w+)(?:\{(.*)\})? /gm);
  return new Map(
    [...lines].map(([, name = "", labels = ""]) => {
      const names = [...labels.matchAll(/(\w+)="/g)].map(([, label]) => label ?? "");
      const kind = kinds.get(name) ?? kinds.get(familyOf(name)) ?? "";
      return [name, [kind, ...names.filter((label) => label !== "le").sort()]];
    }),
  );
}

/** A histogram's name. */
function familyOf(name: string): string {
  return name.replace(/_(?:bucket|sum|count)$/, "");
}

/** @param key a series and a label of it */
function valuesOf(text: string, key: string): readonly string[] {
  const [series = "", label = ""] = key.split(" ");
  const lines = text.split("\n").filter((line) => line.startsWith(`${series}{`));
  return [...new Set(lines.flatMap((line) => new RegExp(`\\b${label}="([^"]*)"`).exec(line)?.[1] ?? []))].sort();
}

function bucketsOf(text: string, handler: string): readonly number[] {
  const lines = text.split("\n").filter((line) => line.startsWith("registry_http_re") && line.includes(`"${handler}"`));
  const bounds = lines.flatMap((line) => /_bucket\{.*le="([^"]+)"/.exec(line)?.[1] ?? []);
  return [...new Set(bounds.map(Number))].sort((a, b) => a - b);
}
