/** What clients of HTTP/2 do to a server that those of HTTP/1 cannot. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { constants } from "node:http2";
import { connect, type Socket } from "node:net";
import { describe, test } from "node:test";
import { digestOf } from "../../src/oci/digest.ts";
import { MemoryDriver } from "../../src/storage/memory.ts";
import { type Api, type ApiOptions, startApi } from "../support/api.ts";
import { locationOf, noise, pushBlob, startUpload } from "../support/api-content.ts";
import { Http2Client } from "../support/http2-client.ts";
import { END_HEADERS, END_STREAM, FrameType, frame, headerBlock, PREFACE } from "../support/http2-frames.ts";
import { slowProxy } from "../support/slow-proxy.ts";
import { MIB } from "./form.ts";
import { until } from "./until.ts";

function open(options: ApiOptions = {}): Promise<Api> {
  return startApi(new MemoryDriver(), { protocol: "h2c", ...options });
}

const GET = { ":method": "GET", ":scheme": "http", ":path": "/v2/", ":authority": "a" };

/** A connection on which the test writes frames. `ended` resolves when the server ends it. */
async function rawConnection(port: number): Promise<{ socket: Socket; ended: Promise<unknown> } & Disposable> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined).on("data", () => undefined);
  const ended = new Promise((resolve) => socket.once("close", resolve));
  await once(socket, "connect");
  socket.write(Buffer.concat([PREFACE, frame(FrameType.settings, 0, 0)]));
  return { socket, ended, [Symbol.dispose]: () => socket.destroy() };
}

describe("a client of HTTP/2", () => {
  for (const protocol of ["h2", "h2c"] as const) {
    test(`over ${protocol} is served by the side of one of HTTP/1`, async () => {
      await using api = await open({ protocol });
      using client = await Http2Client.open(api.origin);
      assert.equal((await client.get("/v2/")).status, 200);
      const answer = await api.raw("GET /v2/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
      assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
    });
  }

  test("that sends the first bytes one by one is understood, in HTTP/1 too", async () => {
    await using api = await open();
    using raw = await rawConnection(api.port);
    raw.socket.destroy();
    for (const [text, answered] of [
      [PREFACE.toString("latin1"), 9],
      ["GET / HTTP/1.1\r\nHost: a\r\n\r\n", 12],
      ["PUT / HTTP/1.1\r\nHost: a\r\n\r\n", 12],
    ] as const) {
      const socket = connect(api.port, "127.0.0.1");
      socket.setNoDelay(true);
      await once(socket, "connect");
      for (const byte of text) {
        socket.write(byte, "latin1");
        await new Promise(setImmediate);
      }
      const [bytes] = await once(socket, "data");
      assert.ok((bytes as Buffer).length >= answered);
      socket.destroy();
    }
  });

  test("is told nothing of connections in its answers, whatever http.headers has", async () => {
    await using api = await open({ headers: { Connection: ["close"], "Keep-Alive": ["timeout=5"], "X-A": ["b"] } });
    const answer = await api.send("GET", "/v2/");
    assert.equal(answer.headers.connection, undefined);
    assert.equal(answer.headers["x-a"], "b");
  });

  test("may send without Content-Length, and gets on where it says so with 100", async () => {
    await using api = await open();
    const bytes = noise(3 * MIB);
    const location = await startUpload(api, "a");
    using client = await Http2Client.open(api.origin);
    const stream = client.request("PATCH", location, { expect: "100-continue" });
    await once(stream, "continue");
    stream.end(bytes);
    const [head] = await once(stream, "response");
    assert.equal(head[":status"], 202);
    assert.equal(head["range"], `0-${bytes.length - 1}`);
  });

  test("that breaks off an upload leaves a session that goes on, and what it announced is not taken for whole", async () => {
    for (const how of ["reset", "connection"] as const) {
      await using api = await open();
      const bytes = noise(2 * MIB);
      const location = await startUpload(api, "a");
      using client = await Http2Client.open(api.origin);
      const target = `${location}&digest=${digestOf(bytes)}`;
      const stream = client.request("PUT", target);
      stream.write(bytes.subarray(0, MIB));
      await until("its bytes are stored", async () => sizeOf(await api.send("GET", location)) > 0);
      if (how === "connection") client.session.destroy();
      else stream.close(constants.NGHTTP2_CANCEL);
      const stands = await takeOver(api, location, bytes);
      assert.ok(stands > 0 && stands < bytes.length, how);
      assert.equal((await api.send("HEAD", `/v2/a/blobs/${digestOf(bytes)}`)).status, 200, how);
    }
  });

  test("that breaks off an upload without naming an error is not taken for one that is done", async () => {
    await using api = await open();
    const bytes = noise(10_000);
    const location = await startUpload(api, "a");
    using raw = await rawConnection(api.port);
    const head = { ...GET, ":method": "PUT", ":path": `${location}&digest=${digestOf(bytes)}` };
    raw.socket.write(frame(FrameType.headers, END_HEADERS, 1, headerBlock(head)));
    raw.socket.write(frame(FrameType.data, 0, 1, bytes));
    await until("its bytes are stored", async () => sizeOf(await api.send("GET", location)) > 0);
    raw.socket.write(frame(FrameType.reset, 0, 1, Buffer.alloc(4)));
    raw.socket.write(frame(FrameType.headers, END_HEADERS | END_STREAM, 3, headerBlock(GET)));
    await until("the upload is over", async () => (await api.send("GET", location)).status === 204);
    assert.equal((await api.send("HEAD", `/v2/a/blobs/${digestOf(bytes)}`)).status, 404);
  });

  test("that stalls within a body loses its stream and keeps its connection", async () => {
    await using api = await open({ stall: 200 });
    const location = await startUpload(api, "a");
    using client = await Http2Client.open(api.origin);
    const stream = client.request("PATCH", location);
    stream.write("some");
    await once(stream, "close");
    assert.equal((await client.get("/v2/")).status, 200);
  });

  test("that does not read its answer loses its stream", async () => {
    await using api = await open({ stall: 200 });
    const bytes = noise(4 * MIB);
    const digest = await pushBlob(api, "a", bytes);
    using client = await Http2Client.open(api.origin);
    const stream = client.request("GET", `/v2/a/blobs/${digest}`);
    await once(stream, "response");
    await once(stream, "close");
    assert.equal((await client.get("/v2/")).status, 200);
  });

  test("that does not read one answer and reads others loses the one", async () => {
    await using api = await open({ stall: 100 });
    const bytes = noise(4 * MIB);
    const digest = await pushBlob(api, "a", bytes);
    using client = await Http2Client.open(api.origin);
    const stream = client.request("GET", `/v2/a/blobs/${digest}`);
    let closed = false;
    stream.once("close", () => {
      closed = true;
    });
    await until("the one that is not read was dropped", async () => {
      assert.equal((await client.get("/v2/")).status, 200);
      return closed;
    });
  });

  test("that asks for nothing is told to go, at first and later, whatever it pings", async () => {
    await using api = await open({ timeouts: { header: 150, idle: 150 } });
    using silent = await Http2Client.open(api.origin);
    using once = await Http2Client.open(api.origin);
    assert.equal((await once.get("/v2/")).status, 200);
    const pings = setInterval(() => {
      if (!once.session.destroyed) once.session.ping(() => undefined);
    }, 20);
    await Promise.all([silent.ended(), once.ended()]);
    clearInterval(pings);
  });

  test("that says nothing at all is dropped before it is known what it speaks", async () => {
    await using api = await open({ timeouts: { header: 100, idle: 10_000 } });
    assert.equal(await api.raw(""), "");
    assert.equal(await api.raw("PRI * HT"), "");
  });

  test("gets a whole blob in pieces of a small window, and ranges of it side by side", async () => {
    await using api = await open();
    const bytes = noise(5 * MIB);
    const digest = await pushBlob(api, "a", bytes);
    using client = await Http2Client.open(api.origin, 20_000);
    const starts = Array.from({ length: 60 }, (_, index) => index * 80_000);
    const answers = await Promise.all(
      starts.map((start) => client.get(`/v2/a/blobs/${digest}`, { range: `bytes=${start}-${start + 99_999}` })),
    );
    for (const [index, { status, body }] of answers.entries()) {
      assert.equal(status, 206);
      const start = starts[index] ?? 0;
      assert.ok(body.equals(bytes.subarray(start, start + 100_000)));
    }
    assert.ok((await client.get(`/v2/a/blobs/${digest}`)).body.equals(bytes));
  });

  test("is not dropped where the time to stall is the longest that a timer can wait", async () => {
    await using api = await open({ stall: 2 ** 31 - 1 });
    const bytes = noise(4 * MIB);
    const digest = await pushBlob(api, "a", bytes);
    using client = await Http2Client.open(api.origin);
    const stream = client.request("GET", `/v2/a/blobs/${digest}`);
    await once(stream, "response");
    for (let count = 0; count < 20; count += 1) await client.get("/v2/"); // meanwhile nothing of it is read
    let length = 0;
    for await (const part of stream) length += (part as Buffer).length;
    assert.equal(length, bytes.length);
  });

  test("may have 100 requests at a time and no more", async () => {
    await using api = await open();
    using client = await Http2Client.open(api.origin);
    await until("its settings came", () => client.session.remoteSettings.initialWindowSize === MIB / 4);
    assert.equal(client.session.remoteSettings.maxConcurrentStreams, 100);
  });

  test("that is far may send more before it hears from the server", async () => {
    await using api = await open();
    await using way = await slowProxy(api.port);
    way.delay(20);
    using client = await Http2Client.open(`http://${way.address}`);
    await until("its window grew", () => client.session.remoteSettings.initialWindowSize === MIB);
    const [bytes, location] = [noise(6 * MIB), await startUpload(api, "a")];
    const stream = client.request("PUT", `${location}&digest=${digestOf(bytes)}`);
    stream.end(bytes);
    const [head] = await once(stream, "response");
    assert.equal(head[":status"], 201);
  });
});

describe("a hostile client of HTTP/2", () => {
  test("that opens streams only to reset them is thrown out (CVE-2023-44487)", async () => {
    await using api = await open();
    using raw = await rawConnection(api.port);
    for (let stream = 1; stream < 40_000 && !raw.socket.destroyed; stream += 2) {
      raw.socket.write(
        Buffer.concat([
          frame(FrameType.headers, END_HEADERS | END_STREAM, stream, headerBlock(GET)),
          frame(FrameType.reset, 0, stream, Buffer.of(0, 0, 0, 8)),
        ]),
      );
      if (stream % 1000 === 1) await new Promise(setImmediate);
    }
    await raw.ended;
    assert.equal((await api.send("GET", "/v2/")).status, 200);
  });

  test("that asks, resets, says goodbye and leaves in one packet leaves no connection behind", async () => {
    await using api = await open({ timeouts: { header: 200, idle: 200 } });
    const socket = connect(api.port, "127.0.0.1").on("error", () => undefined);
    const ended = new Promise((resolve) => socket.resume().once("close", resolve));
    await once(socket, "connect");
    socket.end(
      Buffer.concat([
        ...[PREFACE, frame(FrameType.settings, 0, 0)],
        frame(FrameType.headers, END_HEADERS | END_STREAM, 1, headerBlock(GET)),
        frame(FrameType.reset, 0, 1, Buffer.alloc(4)),
        frame(FrameType.goaway, 0, 0, Buffer.alloc(8)),
      ]),
    );
    await ended;
  });

  test("that waits for 100-continue and resets the stream at once harms nobody", async () => {
    await using api = await open();
    const head = headerBlock({ ...GET, ":method": "POST", expect: "100-continue" });
    for (let count = 0; count < 20; count += 1) {
      const socket = connect(api.port, "127.0.0.1").on("error", () => undefined);
      const answered = once(socket, "data");
      socket.write(
        Buffer.concat([
          ...[PREFACE, frame(FrameType.settings, 0, 0), frame(FrameType.headers, END_HEADERS, 1, head)],
          frame(FrameType.reset, 0, 1, Buffer.of(0, 0, 0, 8)),
        ]),
      );
      await answered;
      socket.destroy();
    }
    using client = await Http2Client.open(api.origin);
    assert.equal((await client.get("/v2/")).status, 200);
  });

  test("whose head never ends is thrown out (CVE-2024-27316)", async () => {
    await using api = await open();
    using raw = await rawConnection(api.port);
    raw.socket.write(frame(FrameType.headers, END_STREAM, 1, headerBlock(GET)));
    const more = frame(FrameType.continuation, 0, 1, headerBlock({ "x-a": "b".repeat(8000) }));
    for (let sent = 0; sent < 5000 && !raw.socket.destroyed; sent += 1) {
      raw.socket.write(more);
      if (sent % 50 === 0) await new Promise(setImmediate);
    }
    await raw.ended;
    assert.equal((await api.send("GET", "/v2/")).status, 200);
  });

  test("whose head is too long is refused, and one with too many fields loses its stream", async () => {
    await using api = await open();
    using client = await Http2Client.open(api.origin);
    const { status, body } = await client.get("/v2/", { "x-a": "b".repeat(20_000) });
    assert.equal(status, 431);
    assert.match(body.toString(), /longer than 16 KiB/);
    const fields = Array.from({ length: 200 }, (_, index) => [`x-${index}`, "b"]);
    await assert.rejects(client.get("/v2/", Object.fromEntries(fields)));
    assert.equal((await api.send("GET", "/v2/")).status, 200);
  });

  test("whose body is longer or shorter than it announced stores nothing", async () => {
    await using api = await open();
    const bytes = noise(1000);
    for (const length of ["900", "1100"]) {
      const location = await startUpload(api, "a");
      using client = await Http2Client.open(api.origin);
      const stream = client.request("PUT", `${location}&digest=${digestOf(bytes)}`, { "content-length": length });
      stream.end(bytes);
      await new Promise((resolve) => stream.once("close", resolve));
      assert.equal((await api.send("HEAD", `/v2/a/blobs/${digestOf(bytes)}`)).status, 404, length);
    }
  });

  test("that sends names in capitals, a Connection or a Transfer-Encoding gets no answer", async () => {
    await using api = await open();
    for (const extra of [{ "X-A": "b" }, { connection: "close" }, { "transfer-encoding": "chunked" }]) {
      using raw = await rawConnection(api.port);
      const reset = new Promise<boolean>((resolve) => {
        let seen: Buffer = Buffer.alloc(0);
        raw.socket.on("data", (bytes: Buffer) => {
          seen = Buffer.concat([seen, bytes]);
          if (typesOf(seen).includes(FrameType.reset)) resolve(true);
          if (typesOf(seen).includes(FrameType.headers)) resolve(false);
        });
        raw.socket.once("close", () => resolve(true));
      });
      raw.socket.write(frame(FrameType.headers, END_HEADERS | END_STREAM, 1, headerBlock({ ...GET, ...extra })));
      assert.ok(await reset, JSON.stringify(extra));
    }
  });
});

/** Sends what is missing, as often as the request that broke off still moves the session. @returns where it stood */
async function takeOver(api: Api, location: string, bytes: Buffer): Promise<number> {
  let stands = 0;
  await until("the upload was taken over", async () => {
    const state = await api.send("GET", location);
    stands = sizeOf(state) + 1;
    const target = `${locationOf(state)}&digest=${digestOf(bytes)}`;
    return (await api.send("PUT", target, { body: bytes.subarray(stands) })).status === 201;
  });
  return stands;
}

function typesOf(bytes: Buffer): readonly number[] {
  const types: number[] = [];
  for (let at = 0; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3)) types.push(bytes[at + 3] ?? 0);
  return types;
}

function sizeOf(answer: { readonly headers: NodeJS.Dict<string | string[]> }): number {
  return Number(answer.headers["range"]?.toString().split("-")[1] ?? 0);
}
