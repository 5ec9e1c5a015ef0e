/** Request smuggling: what two servers may understand in two ways is refused, and ends its connection. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MemoryDriver } from "../../src/storage/memory.ts";
import { type Api, startApi } from "../support/api.ts";
import { pushImage, unchanged } from "../support/api-content.ts";
import { Http2Client } from "../support/http2-client.ts";

const DELETE = "DELETE /v2/a/manifests/t HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
const POST = "POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: x\r\n";

/** Each with a deletion that it hides from whoever reads it the other way. */
const AMBIGUOUS: Readonly<Record<string, string>> = {
  "CL and TE": `${POST}Content-Length: ${DELETE.length + 5}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${DELETE}`,
  "TE and CL": `${POST}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n${DELETE}\r\n0\r\n\r\n`,
  "two equal lengths": `${POST}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc${DELETE}`,
  "two lengths": `${POST}Content-Length: 0\r\nContent-Length: ${DELETE.length}\r\n\r\n${DELETE}`,
  "two lengths in one": `${POST}Content-Length: 0, ${DELETE.length}\r\n\r\n${DELETE}`,
  "a length with a sign": `${POST}Content-Length: +${DELETE.length}\r\n\r\n${DELETE}`,
  "a length in hexadecimal": `${POST}Content-Length: 0x0\r\n\r\n${DELETE}`,
  "a length beyond all numbers": `${POST}Content-Length: 18446744073709551616\r\n\r\n${DELETE}`,
  "a length before a space": `${POST}Content-Length : 0\r\n\r\n${DELETE}`,
  "a coding nobody knows": `${POST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${DELETE}`,
  "chunked and then identity": `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n${DELETE}`,
  "identity and a length": `${POST}Transfer-Encoding: identity\r\nContent-Length: 0\r\n\r\n${DELETE}`,
  "a coding before a space": `${POST}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${DELETE}`,
  "a coding behind a vertical tab": `${POST}Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n${DELETE}`,
  "a coding in HTTP/1.0": `POST /v2/a/blobs/uploads/ HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${DELETE}`,
  "a head by line feeds alone": `POST /v2/a/blobs/uploads/ HTTP/1.1\nHost: x\n\n${DELETE}`,
  "one line that ends in a line feed": `${POST}X: y\nZ: w\r\n\r\n${DELETE}`,
  "one line with a carriage return": `${POST}X: y\rContent-Length: 0\r\n\r\n${DELETE}`,
  "a folded line": `${POST}X: y\r\n Content-Length: ${DELETE.length}\r\n\r\n${DELETE}`,
  "a NUL in a name": `${POST}X\0Y: 1\r\n\r\n${DELETE}`,
  "chunks by line feeds": `${POST}Transfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n${DELETE}`,
  "a chunk's size with a prefix": `${POST}Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n${DELETE}`,
  "a chunk's size beyond all numbers": `${POST}Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n\r\n${DELETE}`,
  "a chunk's extension with a line feed": `${POST}Transfer-Encoding: chunked\r\n\r\n3;a="\nb"\r\nabc\r\n0\r\n\r\n${DELETE}`,
  "two hosts": `POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n${DELETE}`,
  "two equal hosts": `POST /v2/a/blobs/uploads/ HTTP/1.1\r\nhOST: x\r\nHost: x\r\n\r\n${DELETE}`,
};

async function openWithImage(options: Parameters<typeof startApi>[1] = {}): Promise<Api> {
  const api = await startApi(new MemoryDriver(), options);
  await pushImage(api, "a", { reference: "t" });
  return api;
}

function statusesOf(answer: string): string[] {
  return [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status = ""]) => status);
}

describe("request smuggling", () => {
  for (const [what, bytes] of Object.entries(AMBIGUOUS)) {
    test(`a request with ${what} is refused, and what follows it is no request`, async () => {
      await using api = await openWithImage({ protocol: "http" });
      const answer = await api.raw(Buffer.from(bytes, "latin1"));
      assert.deepEqual(statusesOf(answer).slice(-1), ["400"], answer);
      assert.ok(statusesOf(answer).length <= 2, answer);
      assert.match(answer, /\r\nConnection: close\r\n/);
      assert.equal((await api.send("GET", "/v2/a/manifests/t")).status, 200);
    });
  }

  test("a body that nobody wants is no request, whatever the request was refused for", async () => {
    await using api = await openWithImage({ protocol: "http" });
    for (const line of [
      "GET /v2/a/tags/list",
      "DELETE /v2/a/manifests/none",
      "OPTIONS /v2/",
      "TRACE /v2/",
      "GET /",
      "GET //v2/",
    ]) {
      const answer = await api.raw(
        `${line} HTTP/1.1\r\nHost: x\r\nContent-Length: ${DELETE.length}\r\n\r\n${DELETE}GET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
      );
      assert.equal(statusesOf(answer).length, 2, answer);
      assert.equal(statusesOf(answer)[1], "200", answer);
      assert.equal((await api.send("GET", "/v2/a/manifests/t")).status, 200);
    }
  });

  test("h2c upgrade: a connection of HTTP/1 stays one, with h2c and without", async () => {
    const upgrade =
      "GET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n";
    for (const protocol of ["http", "h2c"] as const) {
      await using api = await openWithImage({ protocol });
      const answer = await api.raw(upgrade);
      assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
      assert.doesNotMatch(answer, /101|Upgrade/i);
    }
  });

  test("HTTP/2 with what belongs to connections, or with two hosts, is no request", async () => {
    await using api = await openWithImage({ protocol: "h2c" });
    for (const headers of [
      { ":authority": "good", host: "evil" },
      { ":path": "/\t/evil.example/./" },
      { ":path": "evil/./" },
      { ":path": "http://evil.example/v2" },
      { ":path": "/v2/ /tags/list" },
      { ":authority": "user@good" },
    ]) {
      const status = await unchanged(api, () =>
        statusOver(api.origin, { ":path": "/v2/a/blobs/uploads/", ...headers }),
      );
      assert.ok(status === undefined || status === 400, `${JSON.stringify(headers)}: ${status}`);
    }
    assert.equal(
      await statusOver(api.origin, { ":path": "/v2/", ":method": "GET", host: "x", ":authority": "x" }),
      200,
    );
  });
});

test("a method that HTTP does not know is refused over HTTP/2 as over HTTP/1, and is nobody's error in the log", async () => {
  for (const protocol of ["http", "h2c"] as const) {
    await using api = await openWithImage({ protocol });
    for (const method of ["FOO", "get", "G", "constructor", "__proto__", "DELETEX", "X".repeat(200)]) {
      const status =
        protocol === "h2c"
          ? await statusOver(api.origin, { ":method": method, ":path": "/v2/a/manifests/t" })
          : Number(statusesOf(await api.raw(`${method} /v2/ HTTP/1.1\r\nHost: x\r\n\r\n`))[0]);
      assert.equal(status, 400, `${protocol} ${method}`);
    }
    assert.doesNotMatch(api.log.join(), /level=(?:error|warn)/);
  }
});

/** @returns undefined where there is no answer */
async function statusOver(origin: string, headers: Readonly<Record<string, string>>): Promise<number | undefined> {
  using client = await Http2Client.open(origin);
  const stream = client.request("POST", "/", headers);
  const { promise, resolve } = Promise.withResolvers<number | undefined>();
  stream.once("response", (head) => resolve(Number(head[":status"])));
  stream.once("close", () => resolve(undefined));
  stream.end();
  return await promise;
}
