import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse, request as send } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { BodyAborted, discardRest, receive, receiveBlocks } from "./body.ts";

const NEVER = 3_600_000;

for (const take of [receive, receiveBlocks]) {
  test(`a body is over when its client goes after the answer: ${take.name}`, async (t) => {
    const server = createServer().listen(0, "127.0.0.1");
    t.after(() => server.close());
    await once(server, "listening");
    const headers = { "Content-Length": 8_000_000 };
    const { port } = server.address() as AddressInfo;
    const client = send({ port, host: "127.0.0.1", method: "PUT", headers });
    client.on("error", () => undefined).write("some of it");
    const [request, response] = (await once(server, "request")) as [IncomingMessage, ServerResponse];
    const body = take(request, NEVER);
    assert.equal(Buffer.from((await body.next()).value ?? []).toString(), "some of it");
    const next = body.next();
    response.end("no");
    discardRest(request, NEVER);
    await once(client, "response");
    client.destroy();
    await assert.rejects(next, BodyAborted);
    assert.equal((await body.next()).done, true);
  });
}
