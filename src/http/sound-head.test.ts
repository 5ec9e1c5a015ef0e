import assert from "node:assert/strict";
import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { test } from "node:test";
import { onlySound } from "./sound-head.ts";

/** Whether a request gets through that names its host so, as HTTP/2 hands it on. */
function isSound(scheme: string, authority: string, host: string): boolean {
  const request = new IncomingMessage(new Socket());
  request.method = "GET";
  request.rawHeaders = [":scheme", scheme, ":authority", authority, "Host", host];
  let isTaken = false;
  onlySound(() => {
    isTaken = true;
  })(request, new ServerResponse(request));
  return isTaken;
}

for (const [scheme, authority, host, sound] of [
  ["https", "Hub.test", "hub.TEST", true],
  ["https", "hub.test:443", "hub.test", true],
  ["https", "hub.test", "hub.test:443", true],
  ["http", "hub.test:80", "hub.test", true],
  ["https", "[::1]:443", "[::1]", true],
  ["https", "hub.test:5000", "hub.test:5000", true],
  ["https", "hub.test:80", "hub.test", false],
  ["http", "hub.test:443", "hub.test", false],
  ["https", "hub.test:5000", "hub.test", false],
  ["https", "hub.test", "hub2.test", false],
  ["https", "hub.test:443", "hub.test:80", false],
] as const) {
  test(`${authority} and Host ${host} over ${scheme} are ${sound ? "one host" : "two hosts"}`, () =>
    assert.equal(isSound(scheme, authority, host), sound));
}
