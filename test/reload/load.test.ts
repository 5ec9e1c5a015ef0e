/** Requests while the configuration changes. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MIB } from "../faults/form.ts";
import { digestOfRest } from "../faults/long-blob.ts";
import { beginPatch } from "../faults/uploads.ts";
import { Wire } from "../faults/wire.ts";
import { type ChangingRegistry, countOf, startChanging } from "../support/changing-registry.ts";
import { freePort } from "../support/free-port.ts";
import { contentOf, imageOf, layerOfArchive, noise } from "../support/image.ts";
import type { Configuration } from "../support/registry-process.ts";

/** One after the other. None of them forbids what the load does. */
const CHANGES: readonly Configuration[] = [
  { log: { level: "debug", fields: { service: "quay" } }, http: { headers: { "X-Harbour": ["calm"] } } },
  { auth: { silly: { realm: "here", service: "all" } }, storage: { delete: { enabled: false } } },
  { storage: { cache: { blobdescriptor: "inmemory" } }, tags: { maxtags: 5 } },
  { storage: { cache: { blobdescriptor: "inmemory" } }, wharfinger: { exclusive: true, limits: { uploads: 1000 } } },
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
    await using place = await startChanging({}, undefined, authorized);
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

  test("a client that comes back to its upload ends the request of before, which the old configuration serves", async () => {
    await using place = await startChanging();
    const { registry, http } = place;
    const blob = contentOf(noise(MIB, 3), "any");
    const session = await http.startUpload("a");
    using stuck = await beginPatch(registry, session, MIB, blob.bytes.subarray(0, MIB / 2));
    await place.change({ http: { headers: { "X-Harbour": ["calm"] } } });
    const after = await http.uploadStatus(session);
    const size = after.range === "0-0" ? 0 : Number(after.range.split("-")[1]) + 1;
    await http.finishUpload(await http.append(after, blob.bytes.subarray(size)), blob.descriptor.digest);
    await http.expectBlob("a", blob);
    assert.notEqual((await stuck.head().catch(() => ({ status: 0 }))).status, 202);
  });

  test("metrics never go back, and there is one of each", async () => {
    const debug = await freePort();
    const base: Configuration = {
      http: { debug: { addr: `127.0.0.1:${debug}`, prometheus: { enabled: true } } },
      storage: { cache: { blobdescriptor: "inmemory", blobdescriptorsize: 100 } },
    };
    await using place = await startChanging(base);
    const blob = contentOf(noise(1000, 4), "any");
    await place.http.pushBlob("a", blob);
    const read = async (): Promise<string> => await (await fetch(`http://127.0.0.1:${debug}/metrics`)).text();
    for (const size of [200, 300]) {
      const before = countsOf(await read());
      await place.change({ ...base, storage: { cache: { blobdescriptor: "inmemory", blobdescriptorsize: size } } });
      for (let count = 0; count < 3; count += 1) await place.http.statusOf("a", "blobs", blob.descriptor.digest);
      const text = await read();
      const after = countsOf(text);
      for (const [name, value] of before) assert.ok((after.get(name) ?? -1) >= value, `${name} went back`);
      assert.ok(
        (after.get("registry_storage_cache_hits_total") ?? 0) > (before.get("registry_storage_cache_hits_total") ?? 0),
      );
      assert.equal(countOf(text, /^registry_http_requests_total\{code="200",handler="blob",method="head"\}/gm), 1);
    }
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
