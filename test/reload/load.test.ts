/** Requests while the configuration changes. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type IncomingHttpHeaders } from "node:http2";
import { describe, test } from "node:test";
import { digestOf } from "../../src/oci/digest.ts";
import { MIB } from "../faults/form.ts";
import { digestOfRest } from "../faults/long-blob.ts";
import { until } from "../faults/until.ts";
import { beginPatch, sizeOf } from "../faults/uploads.ts";
import { requestText, Wire, WireClosed } from "../faults/wire.ts";
import { type ChangingRegistry, countOf, startChanging } from "../support/changing-registry.ts";
import { startReceiver } from "../support/event-receiver.ts";
import { freePort } from "../support/free-port.ts";
import { contentOf, imageOf, layerOfArchive, noise } from "../support/image.ts";
import type { Configuration } from "../support/registry-process.ts";

/** One after the other. None of them forbids what the load does. */
const CHANGES: readonly Configuration[] = [
  { log: { level: "debug", fields: { service: "quay" } }, http: { headers: { "X-Harbour": ["calm"] } } },
  { auth: { silly: { realm: "here", service: "all" } }, storage: { delete: { enabled: false } } },
  { catalog: { maxentries: 5 }, tags: { maxtags: 5 }, wharfinger: { limits: { uploads: 1000 } } },
  { validation: { disabled: true }, compatibility: { schema1: { enabled: true } }, http: { relativeurls: false } },
  { health: { storagedriver: { enabled: true, interval: "1s" } }, wharfinger: { limits: { connections: 1000 } } },
  { middleware: { storage: [{ name: "redirect", options: { baseurl: "http://127.0.0.1:1/" }, disabled: true }] } },
];

const PUSHERS = 3;

/** Pushes and pulls images until it is told to stop. @returns how many */
async function load({ http }: ChangingRegistry, lane: number, stop: AbortSignal): Promise<number> {
  let count = 0;
  for (; !stop.aborted; count += 1) {
    const image = imageOf([layerOfArchive(noise(20_000, 1000 * lane + count), "none")]);
    await http.push(`lane/${lane}`, `v${count}`, image);
    await http.expectImage(`lane/${lane}`, `v${count}`, image);
  }
  return count;
}

/** Any `Authorization` will do for silly. */
const authorized = (url: string | URL, init: RequestInit = {}): Promise<Response> =>
  fetch(url, { ...init, headers: { ...(init.headers as Record<string, string>), Authorization: "Bearer x" } });

describe("while the configuration changes", () => {
  test("no request fails, and what is in flight goes on", async (t) => {
    await using place = await startChanging({}, { send: authorized });
    const { registry, http } = place;
    const [big, upload] = [contentOf(noise(24 * MIB, 1), "any"), contentOf(noise(MIB, 2), "any")];
    await http.pushBlob("slow", big);
    using reader = await Wire.open(registry.port);
    await reader.ask("GET", `/v2/slow/blobs/${big.descriptor.digest}`);
    await reader.head();
    const session = await http.startUpload("slow");
    using writer = await beginPatch(registry, session, MIB, upload.bytes.subarray(0, MIB / 2));
    const stop = new AbortController();
    const lanes = Array.from({ length: PUSHERS }, (_, lane) => load(place, lane, stop.signal));
    for (const change of CHANGES) assert.match(await place.change(change), /configuration reloaded: .* changed/);
    stop.abort();
    const counts = await Promise.all(lanes);
    await writer.send(upload.bytes.subarray(MIB / 2));
    assert.equal((await writer.answer()).status, 202);
    assert.equal(await digestOfRest(reader, big.bytes.length), big.descriptor.digest);
    await http.finishUpload(await http.uploadStatus(session), upload.descriptor.digest);
    await http.expectBlob("slow", upload);
    assert.doesNotMatch(registry.log, /level=error/);
    t.diagnostic(`${counts} images`);
    assert.ok(Math.min(...counts) > 0);
  });

  test("a connection of HTTP/2 stays, its requests end by the old configuration and begin by the new one", async () => {
    const h2c = { h2c: { enabled: true } };
    await using place = await startChanging({ http: h2c });
    const big = contentOf(noise(16 * MIB, 5), "any");
    await place.http.pushBlob("a", big);
    const session = connect(place.registry.url);
    const slow = session.request({ ":path": `/v2/a/blobs/${big.descriptor.digest}` });
    await once(slow, "response");
    await place.change({ http: { ...h2c, headers: { "X-Harbour": ["calm"] } } });
    const next = session.request({ ":path": "/v2/" });
    const [head] = (await once(next, "response")) as [IncomingHttpHeaders];
    assert.equal(head["x-harbour"], "calm");
    assert.equal(digestOf(Buffer.concat(await slow.toArray())), big.descriptor.digest);
    session.destroy();
  });

  test("a client that comes back to its upload ends the request of before, which the old configuration serves", async () => {
    await using place = await startChanging();
    const { registry, http } = place;
    const blob = contentOf(noise(MIB, 3), "any");
    const session = await http.startUpload("a");
    using stuck = await beginPatch(registry, session, MIB, blob.bytes.subarray(0, MIB / 2));
    await until("half of it is there", async () => sizeOf(await http.uploadStatus(session)) === MIB / 2);
    await place.change({ http: { headers: { "X-Harbour": ["calm"] } } });
    const after = await http.uploadStatus(session);
    await http.finishUpload(await http.append(after, blob.bytes.subarray(MIB / 2)), blob.descriptor.digest);
    await http.expectBlob("a", blob);
    assert.notEqual((await stuck.head().catch(() => ({ status: 0 }))).status, 202);
  });

  test("metrics never go back, and there is one of each", async () => {
    await using receiver = await startReceiver();
    const debug = await freePort();
    const base: Configuration = {
      http: { debug: { addr: `127.0.0.1:${debug}`, prometheus: { enabled: true } } },
      storage: { cache: { blobdescriptor: "inmemory" } },
    };
    const told = { notifications: { endpoints: [{ name: "one", url: receiver.url }] } };
    await using place = await startChanging({ ...base, ...told });
    const read = async (): Promise<string> => await (await fetch(`http://127.0.0.1:${debug}/metrics`)).text();
    for (const [turn, next] of [base, { ...base, ...told }, base, { ...base, ...told }].entries()) {
      await place.http.pushBlob("a", contentOf(noise(1000, turn), "any"));
      const before = countsOf(await read());
      await place.change(next);
      await until("nothing is gone or went back", async () => {
        const after = countsOf(await read());
        return [...before].every(([name, value]) => (after.get(name) ?? -1) >= value);
      });
    }
    for (const line of [
      /^registry_http_requests_total\{code="202",handler="blob_upload",method="post"\} 4$/gm,
      /^registry_notifications_events_total\{type="Successes",endpoint="one"\} 2$/gm,
    ]) {
      await until(`there is ${line}`, async () => countOf(await read(), line) === 1);
    }
  });

  test("what a client pipelined and waits for its turn is not served by rules that count no more", async () => {
    await using place = await startChanging();
    const { registry, http } = place;
    const big = contentOf(noise(24 * MIB, 3), "any");
    await http.pushBlob("slow", big);
    const { digest } = big.descriptor;
    using wire = await Wire.open(registry.port);
    await wire.send(requestText("GET", `/v2/slow/blobs/${digest}`) + requestText("DELETE", `/v2/slow/blobs/${digest}`));
    await wire.head();
    assert.match(await place.change({ storage: { delete: { enabled: false } } }), /storage\.delete\.enabled/);
    await digestOfRest(wire, 24 * MIB);
    await assert.rejects(wire.head(), WireClosed);
    assert.equal(await http.statusOf("slow", "blobs", digest), 200);
  });
});

/** Counters, by name and labels. */
function countsOf(text: string): ReadonlyMap<string, number> {
  const lines = text.split("\n").filter((line) => /^(?:registry|wharfinger)_\w+_(?:total|count|sum)\b/.test(line));
  return new Map(
    lines
      .filter((line) => !line.includes("pending"))
      .map((line) => [line.replace(/ \S+$/, ""), Number(line.split(" ").at(-1))]),
  );
}
