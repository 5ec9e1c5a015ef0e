/** Documents and bytes that are made to cost more than they are: nothing is followed, fetched or unpacked. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { digestOf } from "../../src/oci/digest.ts";
import { MediaType } from "../../src/oci/media-types.ts";
import { MemoryDriver } from "../../src/storage/memory.ts";
import { startApi } from "../support/api.ts";
import {
  imageDocument,
  indexOf,
  type Pushed,
  pushBlob,
  pushImage,
  pushManifest,
  sameBytes,
} from "../support/api-content.ts";
import { countingDriver } from "../support/counting-driver.ts";
import { startReceiver } from "../support/event-receiver.ts";

/** Calls of the storage that any of these may cost. */
const FEW = 40;

describe("nested-index bombs", () => {
  test("what is asked of the storage does not grow with what an index has below it", async () => {
    const counting = countingDriver(new MemoryDriver());
    await using api = await startApi(counting.driver);
    let below: readonly Pushed[] = [
      await pushImage(api, "a"),
      await pushImage(api, "a", { layers: [Buffer.from("x")] }),
    ];
    for (let depth = 0; depth < 200; depth += 1) {
      counting.forget();
      const one = await pushManifest(api, "a", indexOf(below, { annotations: { depth: `${depth}` } }));
      assert.ok(counting.calls.length <= FEW, `pushing asked ${counting.calls.length} things`);
      below = [one, one];
    }
    const [top] = below;
    assert.ok(top);
    for (const [method, path] of [
      ["HEAD", `manifests/${top.digest}`],
      ["GET", `manifests/${top.digest}`],
      ["DELETE", `manifests/${top.digest}`],
    ] as const) {
      counting.forget();
      const { status } = await api.send(method, `/v2/a/${path}`);
      assert.ok(status < 300, `${method} ${path}: ${status}`);
      assert.ok(counting.calls.length <= FEW, `${method} asked ${counting.calls.length} things`);
    }
  });

  test("an index that names one child thousands of times looks for it once", async () => {
    const counting = countingDriver(new MemoryDriver());
    await using api = await startApi(counting.driver);
    const image = await pushImage(api, "a");
    counting.forget();
    await pushManifest(api, "a", indexOf(Array.from({ length: 10_000 }, () => image)));
    assert.ok(counting.calls.length <= FEW, `${counting.calls.length} calls`);
  });

  test("manifests that are each other's subjects are found one step at a time", async () => {
    await using api = await startApi(new MemoryDriver());
    let subject = await pushImage(api, "a");
    const first = subject;
    for (let i = 0; i < 100; i += 1) {
      const named = { mediaType: MediaType.ociManifest, digest: subject.digest, size: subject.bytes.length };
      subject = await pushImage(api, "a", { extra: { subject: named } });
    }
    const answer = await api.send("GET", `/v2/a/referrers/${first.digest}`);
    assert.equal((JSON.parse(answer.body.toString()) as { manifests: unknown[] }).manifests.length, 1);
  });
});

describe("decompression bombs", () => {
  test("a layer is bytes, whatever is packed in it", async () => {
    await using api = await startApi(new MemoryDriver());
    const bomb = gzipSync(gzipSync(Buffer.alloc(256 * 1024 * 1024)));
    const { document } = await pushImage(api, "a", { reference: "t", layers: [bomb] });
    const [{ digest }] = document["layers"] as [{ digest: string }];
    const answer = await api.send("GET", `/v2/a/blobs/${digest}`, { headers: { "Accept-Encoding": "gzip" } });
    assert.equal(answer.headers["content-encoding"], undefined);
    sameBytes(answer.body, bomb);
  });

  test("a body's Content-Encoding means nothing: its bytes are what was sent", async () => {
    await using api = await startApi(new MemoryDriver());
    const packed = gzipSync("{}");
    const digest = digestOf(packed);
    const { location = "" } = (await api.send("POST", "/v2/a/blobs/uploads/")).headers;
    const headers = { "Content-Encoding": "gzip" };
    assert.equal((await api.send("PUT", `${location}&digest=${digest}`, { headers, body: packed })).status, 201);
    const manifest = gzipSync(JSON.stringify(await imageDocument(api, "a")));
    const typed = { ...headers, "Content-Type": MediaType.ociManifest };
    assert.equal((await api.send("PUT", "/v2/a/manifests/t", { headers: typed, body: manifest })).status, 400);
  });

  test("nothing in this program can unpack anything", () => {
    const root = join(import.meta.dirname, "../../src");
    for (const path of globSync("**/*.ts", { cwd: root, exclude: ["**/*.test.ts"] })) {
      assert.doesNotMatch(readFileSync(join(root, path), "utf8"), /zlib|DecompressionStream|gunzip|inflate/i, path);
    }
  });
});

describe("SSRF", () => {
  test("no URL that a client sends is asked for, when it is pushed, pulled or listed", async () => {
    await using receiver = await startReceiver();
    await using api = await startApi(new MemoryDriver(), {
      foreignUrls: { foreignByDefault: true },
      observers: [],
      protocol: "http",
    });
    const { url } = receiver;
    const layer = await pushBlob(api, "a", Buffer.from("layer"));
    const descriptor = {
      mediaType: MediaType.ociNondistributable,
      digest: layer,
      size: 5,
      urls: [url],
      annotations: { url },
    };
    const absent = { mediaType: MediaType.ociManifest, digest: `sha256:${"b".repeat(64)}`, size: 5, urls: [url] };
    const { document } = await pushImage(api, "a");
    const extra = { layers: [descriptor], subject: absent, annotations: { "org.opencontainers.image.source": url } };
    await pushManifest(api, "a", { ...document, ...extra }, { reference: "t" });
    const headers = {
      Referer: url,
      Origin: url,
      "X-Forwarded-Host": `127.0.0.1:${receiver.port}`,
      From: url,
      Forwarded: `host="127.0.0.1:${receiver.port}"`,
    };
    for (const path of [
      "manifests/t",
      `referrers/${absent.digest}`,
      `blobs/${layer}`,
      "tags/list",
      `blobs/${absent.digest}`,
    ]) {
      for (const method of ["GET", "HEAD"])
        await api.send(method, `/v2/a/${path}?ns=${encodeURIComponent(url)}`, { headers });
    }
    for (const query of [`from=${url}&mount=${layer}`, `mount=${layer}&origin=${encodeURIComponent(url)}`]) {
      await api.send("POST", `/v2/b/blobs/uploads/?${query}`, { headers });
    }
    await api.raw(`GET ${url} HTTP/1.1\r\nHost: 127.0.0.1:${receiver.port}\r\nConnection: close\r\n\r\n`);
    await api.raw(`CONNECT 127.0.0.1:${receiver.port} HTTP/1.1\r\nHost: x\r\n\r\n`);
    assert.deepEqual(receiver.requests, []);
  });
});
