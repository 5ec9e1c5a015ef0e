import assert from "node:assert/strict";
import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { describe, it } from "node:test";
import { believeOnly, clientAddress, forwardingOf, TrustedProxies, trustedAddress } from "./forwarding.ts";

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

const PROXIES = new TrustedProxies(["10.0.0.0/8", "192.0.2.9", "fd00::/8"]);

function fromProxy(headers: Readonly<Record<string, string>>, peer: string): IncomingMessage {
  const socket = Object.defineProperty(new Socket(), "remoteAddress", { value: peer });
  const request = Object.assign(new IncomingMessage(socket), { headers });
  believeOnly(request, PROXIES);
  return request;
}

describe("with a list of proxies", () => {
  for (const [peer, headers, client, base] of [
    ["203.0.113.5", { "x-forwarded-for": "198.51.100.7", "x-forwarded-proto": "https" }, "203.0.113.5", undefined],
    ["203.0.113.5", { forwarded: "for=198.51.100.7;host=evil" }, "203.0.113.5", undefined],
    ["10.0.0.1", {}, "10.0.0.1", undefined],
    ["10.0.0.1", { "x-forwarded-for": "198.51.100.7" }, "198.51.100.7", undefined],
    ["::ffff:10.0.0.1", { "x-forwarded-for": "::ffff:198.51.100.7" }, "198.51.100.7", undefined],
    ["fd00::1", { "x-forwarded-for": "2001:db8::1" }, "2001:db8::1", undefined],
    ["192.0.2.9", { "x-forwarded-for": "1.1.1.1, 198.51.100.7, 10.2.3.4" }, "198.51.100.7", undefined],
    ["192.0.2.8", { "x-forwarded-for": "1.1.1.1" }, "192.0.2.8", undefined],
    ["10.0.0.1", { "x-forwarded-for": "10.0.0.3, 10.0.0.2" }, "10.0.0.3", undefined],
    ["10.0.0.1", { "x-forwarded-for": "1.1.1.1, junk, 10.0.0.2" }, "10.0.0.2", undefined],
    ["10.0.0.1", { "x-forwarded-for": "junk" }, "10.0.0.1", undefined],
    ["10.0.0.1", { "x-real-ip": "198.51.100.7" }, "198.51.100.7", undefined],
    [
      "10.0.0.1",
      { "x-forwarded-for": "1.1.1.1", "x-forwarded-host": "evil, real", "x-forwarded-proto": "http, https" },
      "1.1.1.1",
      "https://real",
    ],
    [
      "10.0.0.1",
      { "x-forwarded-for": "2.2.2.2, 1.1.1.1, 10.0.0.2", "x-forwarded-host": "evil, real, inner" },
      "1.1.1.1",
      "undefined://real",
    ],
    [
      "10.0.0.1",
      { "x-forwarded-for": "1.1.1.1, 10.0.0.2", "x-forwarded-host": "only", "x-forwarded-proto": "https" },
      "1.1.1.1",
      "https://only",
    ],
    [
      "10.0.0.1",
      { forwarded: 'for=2.2.2.2;host=evil, for="[2001:db8::1]:80";host=real;proto=https, for=10.0.0.2' },
      "2001:db8::1",
      "https://real",
    ],
    ["10.0.0.1", { forwarded: "garbage, for=198.51.100.7" }, "10.0.0.1", undefined],
    ["10.0.0.1", { forwarded: "for=2.2.2.2;host=evil", "x-forwarded-for": "198.51.100.7" }, "198.51.100.7", undefined],
    ["10.0.0.1", { forwarded: "for=_hidden;host=real" }, "10.0.0.1", "undefined://real"],
  ] as const) {
    it(`${peer} with ${JSON.stringify(headers)} speaks for ${client}`, () => {
      const request = fromProxy(headers, peer);
      assert.equal(trustedAddress(request), client);
      assert.equal(clientAddress(request), client);
      const { proto, host } = forwardingOf(request);
      assert.equal(host === undefined ? undefined : `${proto}://${host}`, base);
    });
  }

  it("what comes over a socket of the file system is believed", () => {
    const request = Object.assign(new IncomingMessage(new Socket()), { headers: { "x-forwarded-for": "1.1.1.1" } });
    believeOnly(request, PROXIES);
    assert.equal(trustedAddress(request), "1.1.1.1");
  });
});

describe("without one", () => {
  it("limits and access control go by the other end of the connection alone", () => {
    const socket = Object.defineProperty(new Socket(), "remoteAddress", { value: "::ffff:192.0.2.1" });
    const request = Object.assign(new IncomingMessage(socket), { headers: { "x-forwarded-for": "1.1.1.1" } });
    assert.equal(trustedAddress(request), "192.0.2.1");
  });
});
