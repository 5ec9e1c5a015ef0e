/** Slow loris: a client that sends next to nothing holds a connection no longer than the time-outs say. */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { describe, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { MemoryDriver } from "../../src/storage/memory.ts";
import { type Api, startApi } from "../support/api.ts";
import type { ProtocolName } from "../support/protocol.ts";

const CLIENT_HELLO = Buffer.from("16030100fa010000f60303", "hex");
const HALF_A_HEAD = "POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: x\r\n";
const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/** Time-outs that an honest client meets on a slow machine, too; the tests wait for them side by side. */
async function open(protocol: ProtocolName): Promise<Api> {
  return await startApi(new MemoryDriver(), { protocol, stall: 3000, timeouts: { header: 3000, idle: 3000 } });
}

interface SlowClient {
  readonly socket: Socket;
  readonly closed: Promise<void>;
}

function plain(api: Api): SlowClient {
  return watched(connect(api.port, "127.0.0.1"));
}

function encrypted(api: Api, protocol: string): SlowClient {
  const to = { port: api.port, host: "127.0.0.1", rejectUnauthorized: false };
  return watched(connectTls({ ...to, ALPNProtocols: [protocol] }));
}

/** From the first moment: on a slow machine it may be dropped before anybody looks. */
function watched(socket: Socket): SlowClient {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  socket
    .on("error", () => undefined)
    .once("close", () => resolve())
    .resume();
  return { socket, closed };
}

/** Sends a little at a time, for as long as the server takes it. */
async function trickle({ socket, closed }: SlowClient, bytes: Iterable<string | Uint8Array>): Promise<void> {
  const rest = bytes[Symbol.iterator]();
  const timer = setInterval(() => {
    const next = rest.next();
    if (!next.done && socket.writable) socket.write(next.value);
  }, 10);
  await closed;
  clearInterval(timer);
}

function* endless(first: string | Uint8Array, more: string): Generator<string | Uint8Array, void, void> {
  yield first;
  for (;;) yield more;
}

describe("slow loris", { concurrency: true }, () => {
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
      const slow = Array.from({ length: 10 }, () => reach(api));
      const dropped = Promise.all(slow.map((client) => trickle(client, bytes())));
      assert.equal((await api.send("GET", "/v2/")).status, 200);
      await dropped;
    });
  }
});
