import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { test } from "node:test";
import { Exchange } from "./exchange.ts";
import { type RequestInfo, requestInfo } from "./request-info.ts";

function infoOf(headers: Readonly<Record<string, string>>, user?: string): RequestInfo {
  const socket = { remoteAddress: "::ffff:10.0.0.9", remotePort: 52886 };
  const request = { headers: { ...headers }, socket, method: "PUT", url: "/v2/" } as unknown as IncomingMessage;
  const exchange = new Exchange(request, {} as ServerResponse, "/");
  if (user !== undefined) exchange.grant = { user };
  return requestInfo(exchange);
}

test("a request has an id of its own and says what the client said", () => {
  const { id, ...rest } = infoOf({ host: "r:5000", "user-agent": "docker/27" });
  assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.notEqual(infoOf({}).id, id);
  assert.deepEqual(rest, {
    address: "10.0.0.9:52886",
    host: "r:5000",
    method: "PUT",
    userAgent: "docker/27",
    user: "",
  });
});

test("the address is the one that the first proxy tells, where it is one", () => {
  assert.equal(infoOf({ "x-forwarded-for": "192.0.2.1, 10.0.0.1" }).address, "192.0.2.1");
  assert.equal(infoOf({ "x-forwarded-for": "unknown", "x-real-ip": "2001:db8::1" }).address, "2001:db8::1");
  assert.equal(infoOf({ "x-forwarded-for": "<script>" }).address, "10.0.0.9:52886");
});

test("the user is who was let in, else who the client says it is", () => {
  const authorization = `Basic ${Buffer.from("alice:secret:with colon").toString("base64")}`;
  assert.equal(infoOf({ authorization }).user, "alice");
  assert.equal(infoOf({ authorization }, "bob").user, "bob");
  assert.equal(infoOf({ authorization }, "").user, "");
  assert.equal(infoOf({ authorization: "Bearer abc" }).user, "");
});
