import assert from "node:assert/strict";
import { test } from "node:test";
import { startApi } from "../../test/support/api.ts";
import { expectError, locationOf } from "../../test/support/api-content.ts";
import { MemoryDriver } from "../storage/memory.ts";
import { accessLine } from "./access-log.ts";

const NOW = new Date("2026-11-21T02:50:40.999Z");

test("every request leaves a line in Apache's combined format, without the state of uploads", async () => {
  const lines: string[] = [];
  await using api = await startApi(new MemoryDriver(), {
    observers: [{ answered: (exchange) => lines.push(accessLine(exchange, NOW)) }],
  });
  await api.send("GET", "/v2/", { headers: { Referer: 'a "b" \\', "User-Agent": "test/1" } });
  expectError(await api.send("GET", "/v2/a/tags/list?n=1"), 404, "NAME_UNKNOWN");
  await api.send("HEAD", "/v2/a/manifests/t");
  const session = locationOf(await api.send("POST", "/v2/a/blobs/uploads/"));
  await api.send("PATCH", `${session}&x=y`, { body: "x" });
  await api.send("GET", "/nowhere");
  await api.send("GET", "/v2/?a=1&%5fst%61te=SECRET&%zz");
  const stamp = "127.0.0.1 - - [21/Nov/2026:02:50:40 +0000]";
  assert.equal(lines[0], `${stamp} "GET /v2/ HTTP/1.1" 200 2 "a \\"b\\" \\\\" "test/1"\n`);
  assert.equal(lines[1], `${stamp} "GET /v2/a/tags/list?n=1 HTTP/1.1" 404 109 "" ""\n`);
  assert.equal(lines[2], `${stamp} "HEAD /v2/a/manifests/t HTTP/1.1" 404 0 "" ""\n`);
  const path = session.split("?")[0];
  assert.equal(lines[4], `${stamp} "PATCH ${path}?_state=…&x=y HTTP/1.1" 202 0 "" ""\n`);
  assert.equal(lines[5], `${stamp} "GET /nowhere HTTP/1.1" 404 19 "" ""\n`);
  assert.equal(lines[6], `${stamp} "GET /v2/?a=1&%5fst%61te=…&%zz HTTP/1.1" 200 2 "" ""\n`);
});
