/** Slow loris: a client that sends next to nothing holds a connection no longer than the time-outs say. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { MemoryDriver } from "../../src/storage/memory.ts";
import { type Api, startApi } from "../support/api.ts";
import type { ProtocolName } from "../support/protocol.ts";

const CLIENT_HELLO = Buffer.from("16030100fa010000f60303", "hex");
const HALF_A_HEAD = "POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: x\r\n";
const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

async function open(protocol: ProtocolName): Promise<Api> {
  return await startApi(new MemoryDriver(), { protocol, stall: 500, timeouts: { header: 300, idle: 300 } });
}

async function plain(api: Api): Promise<Socket> {
  const socket = connect(api.port, "127.0.0.1");
  await once(socket, "connect");
  return socket;
}

async function encrypted(api: Api, protocol: string): Promise<Socket> {
  const socket = connectTls({
    port: api.port,
    host: "127.0.0.1",
    rejectUnauthorized: false,
    ALPNProtocols: [protocol],
  });
  await once(socket, "secureConnect");
  return socket;
}

/** Sends a little at a time, for as long as the server takes it. */
async function trickle(socket: Socket, bytes: Iterable<string | Uint8Array>): Promise<void> {
  socket.on("error", () => undefined).resume();
  const rest = bytes[Symbol.iterator]();
  const timer = setInterval(() => {
    const next = rest.next();
    if (!next.done && socket.writable) socket.write(next.value);
  }, 10);
  await once(socket, "close");
  clearInterval(timer);
}

function* endless(first: string | Uint8Array, more: string): Generator<string | Uint8Array, void, void> {
  yield first;
  for (;;) yield more;
}

describe("slow loris", () => {
  for (const [what, protocol, reach, bytes] of [
    ["nothing at all, over TLS", "tls", plain, () => []],
    ["half a handshake", "tls", plain, () => [CLIENT_HELLO]],
    ["a handshake a byte at a time", "h2", plain, () => endless(CLIENT_HELLO, "\0")],
    ["nothing after the handshake", "tls", (api: Api) => encrypted(api, "http/1.1"), () => []],
    ["half a head over TLS", "tls", (api: Api) => encrypted(api, "http/1.1"), () => [HALF_A_HEAD]],
    [
      "a head a byte at a time, over TLS",
      "tls",
      (api: Api) => encrypted(api, "http/1.1"),
      () => endless(HALF_A_HEAD, "X"),
    ],
    ["a head a line at a time", "http", plain, () => endless(HALF_A_HEAD, "X: y\r\n")],
    ["empty lines before a request", "http", plain, () => endless("\r\n", "\r\n")],
    ["half of what HTTP/2 begins with", "h2", (api: Api) => encrypted(api, "h2"), () => [PREFACE.slice(0, 10)]],
    ["the beginning of HTTP/2 and no request", "h2c", plain, () => [PREFACE, Buffer.from("000000040000000000", "hex")]],
  ] as const) {
    test(`a client that sends ${what} is dropped, and others are served meanwhile`, async () => {
      await using api = await open(protocol);
      const slow = await Promise.all(Array.from({ length: 20 }, () => reach(api)));
      const dropped = Promise.all(slow.map((socket) => trickle(socket, bytes())));
      assert.equal((await api.send("GET", "/v2/")).status, 200);
      await dropped;
    });
  }
});
