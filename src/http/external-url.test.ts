import assert from "node:assert/strict";
import type { IncomingHttpHeaders } from "node:http";
import { test } from "node:test";
import fc from "fast-check";
import { externalBase } from "./external-url.ts";

const NONE = { relative: false };

test("a connection that is encrypted gives https, unless a proxy says otherwise", () => {
  const origin = { headers: { host: "a" }, encrypted: true, prefix: "/p/" };
  assert.equal(externalBase(NONE, origin), "https://a/p/");
  const headers = { host: "a", "x-forwarded-proto": "http" };
  assert.equal(externalBase(NONE, { ...origin, headers }), "http://a/p/");
});

test("a malformed Forwarded counts for nothing, and nor does what stands beside it", () => {
  for (const forwarded of [
    "",
    "x",
    "proto",
    "proto=",
    "proto=https;",
    ";",
    "host=a b",
    'host="a',
    "host=a;;proto=b",
    "=a",
  ]) {
    const headers = { host: "h", forwarded, "x-forwarded-proto": "https", "x-forwarded-host": "x" };
    assert.equal(externalBase(NONE, { headers, encrypted: false, prefix: "/" }), "http://h/", forwarded);
  }
});

test("a quoted Forwarded may hold commas, semicolons and escapes that mean nothing", () => {
  for (const [forwarded, base] of [
    ['for="a,b;c";host=f', "http://f/"],
    ['for="\\"";host="\\f";PROTO=Https', "https://f/"],
    ['host="f, g"', "http://h/"],
    ["host=f , host=g", "http://f/"],
    ["for=_x; host=f ;by=y", "http://f/"],
  ] as const) {
    const headers = { host: "h", forwarded };
    assert.equal(externalBase(NONE, { headers, encrypted: false, prefix: "/" }), base, forwarded);
  }
});

test("whatever a client's headers say, the URL is http or https and names the request's prefix", () => {
  const text = fc.oneof(
    fc.string(),
    fc.constantFrom("https", "a.example:5", 'host="x";proto=https', "javascript:", "a/b?c#d"),
  );
  const names = ["forwarded", "x-forwarded-proto", "x-forwarded-host"];
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...names), text), (some) => {
      const headers: IncomingHttpHeaders = { ...some, host: "h" };
      const base = externalBase(NONE, { headers, encrypted: false, prefix: "/p/" });
      assert.match(base, /^https?:\/\/[A-Za-z0-9.:[\]_-]+\/p\/$/);
    }),
    { numRuns: 2000 },
  );
});
