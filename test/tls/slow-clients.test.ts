/** Clients that stand still while they speak TLS. What they do without it is in test/faults/slow-clients.test.ts. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { describe, test } from "node:test";
import type { RequestObserver } from "../../src/http/observer.ts";
import { digestOf } from "../../src/oci/digest.ts";
import { MemoryDriver } from "../../src/storage/memory.ts";
import { MIB } from "../faults/form.ts";
import { until } from "../faults/until.ts";
import { lengthOf, Wire } from "../faults/wire.ts";
import { type Api, type ApiOptions, startApi } from "../support/api.ts";
import { locationOf, noise, pushBlob, startUpload } from "../support/api-content.ts";

function open(options: ApiOptions = {}): Promise<Api> {
  return startApi(new MemoryDriver(), { protocol: "tls", ...options });
}

/** What a client says first, up to the middle of it. @see RFC 8446, section 4.1.2 */
const HALF_A_HELLO: Buffer = Buffer.from("16030100c8010000c40303", "hex");

describe("over TLS", () => {
  test("a handshake that does not begin, stops half-way, or is none is dropped", async () => {
    await using api = await open({ timeouts: { header: 200, idle: 10_000 } });
    for (const bytes of ["", HALF_A_HELLO, "GET / HTTP/1.1\r\n\r\n"]) {
      const socket = connect(api.port, "127.0.0.1");
      socket.on("error", () => undefined).resume(); // a reset will do
      if (bytes.length > 0) socket.write(bytes);
      await once(socket, "close");
    }
    assert.equal((await api.send("GET", "/v2/")).status, 200);
  });

  test("a handshake that does not end counts among the connections", async () => {
    await using api = await open({ connections: 1, timeouts: { header: 500, idle: 10_000 } });
    const stuck = connect(api.port, "127.0.0.1");
    stuck.on("error", () => undefined).resume();
    stuck.write(HALF_A_HELLO);
    await once(stuck, "connect");
    await assert.rejects(Wire.openEncrypted(api.port));
    await once(stuck, "close");
    await until("there is room again", async () => (await api.raw("GET /v2/ HTTP/1.0\r\n\r\n")) !== "");
  });

  test("a connection that sends no request, or half of one, is dropped", async () => {
    await using api = await open({ timeouts: { header: 200, idle: 10_000 } });
    for (const bytes of ["", "GET /v2/ HTTP/1.1\r\nHost: x\r\nX-Slow:"]) {
      assert.match(await api.raw(bytes), /^(HTTP\/1\.1 408 |$)/);
    }
  });

  test("an upload that stalls is dropped, and goes on where its bytes ended", async () => {
    await using api = await open({ stall: 300 });
    const bytes = noise(MIB);
    const location = await startUpload(api, "slow");
    using wire = await Wire.openEncrypted(api.port);
    await wire.ask("PATCH", location, `Content-Length: ${bytes.length}`);
    await wire.send(bytes.subarray(0, MIB / 2));
    assert.equal((await wire.rest()).length, 0);
    const state = await api.send("GET", location);
    assert.equal(state.headers["range"], `0-${MIB / 2 - 1}`);
    const target = `${locationOf(state)}&digest=${digestOf(bytes)}`;
    assert.equal((await api.send("PUT", target, { body: bytes.subarray(MIB / 2) })).status, 201);
  });

  test("a reader that stalls is dropped", async () => {
    const ended = Promise.withResolvers<void>();
    const answered: RequestObserver["answered"] = ({ method }) => void (method === "GET" && ended.resolve());
    await using api = await open({ stall: 300, observers: [{ answered }] });
    const bytes = noise(32 * MIB);
    const digest = await pushBlob(api, "slow", bytes);
    using wire = await Wire.openEncrypted(api.port);
    await wire.ask("GET", `/v2/slow/blobs/${digest}`);
    const head = await wire.head();
    await ended.promise;
    assert.equal(lengthOf(head), bytes.length);
    assert.ok((await wire.rest()).length < bytes.length);
  });
});
