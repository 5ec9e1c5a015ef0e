import assert from "node:assert/strict";
import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { describe, it } from "node:test";
import { clientAddress } from "./client-address.ts";

function addressOf(
  headers: Readonly<Record<string, string>>,
  peer: string | undefined = "192.0.2.1",
): string | undefined {
  const socket = Object.defineProperty(new Socket(), "remoteAddress", { value: peer });
  return clientAddress(Object.assign(new IncomingMessage(socket), { headers }));
}

describe("the address of a client", () => {
  for (const [headers, expected] of [
    [{}, "192.0.2.1"],
    [{ "x-forwarded-for": "198.51.100.7" }, "198.51.100.7"],
    [{ "x-forwarded-for": " 198.51.100.7 , 203.0.113.9, 10.0.0.1", "x-real-ip": "203.0.113.1" }, "198.51.100.7"],
    [{ "x-forwarded-for": "2001:db8::1" }, "2001:db8::1"],
    [{ "x-real-ip": "203.0.113.1" }, "203.0.113.1"],
    [{ "x-forwarded-for": "unknown, 198.51.100.7", "x-real-ip": "203.0.113.1" }, "203.0.113.1"],
    [{ "x-forwarded-for": "198.51.100.7:4711", "x-real-ip": "evil" }, "192.0.2.1"],
    [{ "x-forwarded-for": "", "x-real-ip": "" }, "192.0.2.1"],
    [{ "x-forwarded-for": "::ffff:198.51.100.7" }, "198.51.100.7"],
  ] as const) {
    it(`is ${expected} with ${JSON.stringify(headers)}`, () => assert.equal(addressOf(headers), expected));
  }

  it("is IPv4 on a socket of both families", () => assert.equal(addressOf({}, "::ffff:192.0.2.1"), "192.0.2.1"));
  it("is unknown on a socket of the file system", () => {
    const socket = new Socket();
    assert.equal(clientAddress(Object.assign(new IncomingMessage(socket), { headers: {} })), undefined);
  });
});
