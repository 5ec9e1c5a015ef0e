import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nearestKey } from "./nearest-key.ts";

const KNOWN = ["addr", "net", "prefix", "headers", "draintimeout", "tls"];

describe("the nearest key", () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ["adr", "addr"],
    ["addrs", "addr"],
    ["adrd", "addr"],
    ["ADDR", "addr"],
    ["header", "headers"],
    ["haeders", "headers"],
    ["drain_timeout", "draintimeout"],
    ["tsl", "tls"],
    ["ten", undefined],
    ["bogus", undefined],
    ["", undefined],
    ["x".repeat(100_000), undefined],
  ];
  for (const [name, key] of cases) {
    it(`to ${JSON.stringify(name.slice(0, 20))} is ${key ?? "none"}`, () => assert.equal(nearestKey(name, KNOWN), key));
  }

  it("is none where nothing is known", () => assert.equal(nearestKey("addr", []), undefined));
});
