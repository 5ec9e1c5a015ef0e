import assert from "node:assert/strict";
import { test } from "node:test";
import { startApi } from "../../test/support/api.ts";
import { SillyController } from "../auth/silly.ts";
import { MemoryDriver } from "../storage/memory.ts";
import { type RequestLine, requestLines } from "./request-line.ts";

const SILLY = new SillyController({ realm: "https://auth.example.com/token", service: "s" });
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

test("a completed request is told with who asked for what, and what became of it", async () => {
  const lines: RequestLine[] = [];
  await using api = await start(lines);
  await api.send("POST", "/v2/team/app/blobs/uploads/?access_token=HIDDEN", {
    headers: {
      "User-Agent": "docker/27",
      Referer: "http://bob:HIDDEN@here/?token=HIDDEN",
      Authorization: "Bearer HIDDEN",
      "Content-Type": "text/x-test",
      "X-Forwarded-For": "10.1.2.3",
    },
  });
  const [line] = lines;
  assert.equal(line?.level, "info");
  assert.equal(line.msg, "response completed");
  const { "http.request.id": id, "http.response.duration": duration, ...fields } = line.fields;
  assert.match(String(id), UUID);
  assert.match(String(duration), /^[\d.]+(?:µs|ms|s)$/);
  assert.deepEqual(fields, {
    "http.request.method": "POST",
    "http.request.host": `127.0.0.1:${api.port}`,
    "http.request.uri": "/v2/team/app/blobs/uploads/?access_token=…",
    "http.request.remoteaddr": "10.1.2.3",
    "http.request.useragent": "docker/27",
    "http.request.referer": "http://…@here/?token=…",
    "http.request.contenttype": "text/x-test",
    "vars.name": "team/app",
    "auth.user.name": "silly",
    "http.response.status": 202,
    "http.response.written": 0,
  });
});

test("a refused request is told with its error, in the peers' words", async () => {
  const lines: RequestLine[] = [];
  await using api = await start(lines);
  await api.send("GET", "/v2/team/app/manifests/v1", { headers: { Authorization: "x" } });
  await api.send("DELETE", "/v2/team/app/tags/list", { headers: { Authorization: "x" } });
  await api.send("GET", "/v2/");
  const [unknown, unauthorized] = lines;
  assert.equal(lines.length, 2, "a method that no handler takes has no line");
  assert.deepEqual(pick(unknown, ["err.code", "err.message", "err.detail", "vars.reference", "http.response.status"]), [
    "response completed with error",
    ...["manifest unknown", "manifest unknown", "unknown tag=v1", "v1", 404],
  ]);
  assert.deepEqual(pick(unauthorized, ["err.code", "err.message", "auth.user.name", "http.response.status"]), [
    "response completed with error",
    ...["unauthorized", "authentication required", undefined, 401],
  ]);
  assert.ok(lines.every(({ level }) => level === "error"));
});

test("several errors of one request are a line each, the first sixteen of them", async () => {
  const lines: RequestLine[] = [];
  await using api = await start(lines);
  const digits = Array.from({ length: 40 }, (_, index) => index.toString(16).padStart(2, "0"));
  const layer = (digit: string): object => ({
    mediaType: "application/vnd.oci.image.layer.v1.tar",
    digest: `sha256:${digit.repeat(32)}`,
    size: 1,
  });
  const manifestOf = (count: number): object => ({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: { ...layer("ff"), mediaType: "application/vnd.oci.image.config.v1+json" },
    layers: digits.slice(0, count).map(layer),
  });
  const headers = { Authorization: "x", "Content-Type": "application/vnd.oci.image.manifest.v1+json" };
  await api.send("PUT", "/v2/a/manifests/v1", { headers, body: JSON.stringify(manifestOf(1)) });
  assert.deepEqual(
    lines.map(({ fields }) => fields["err.code"]),
    ["manifest blob unknown", "manifest blob unknown"],
  );
  assert.equal(new Set(lines.map(({ fields }) => fields["http.request.id"])).size, 1);
  await api.send("PUT", "/v2/a/manifests/v1", { headers, body: JSON.stringify(manifestOf(40)) });
  assert.equal(lines.length, 2 + 16);
  assert.equal(lines[16]?.fields["err.unsaid"], undefined);
  assert.equal(lines[17]?.fields["err.unsaid"], 41 - 16);
});

async function start(lines: RequestLine[]): ReturnType<typeof startApi> {
  return await startApi(new MemoryDriver(), {
    access: SILLY,
    observers: [{ answered: (exchange) => lines.push(...requestLines(exchange)) }],
  });
}

function pick(line: RequestLine | undefined, keys: readonly string[]): readonly unknown[] {
  return [line?.msg, ...keys.map((key) => line?.fields[key])];
}
