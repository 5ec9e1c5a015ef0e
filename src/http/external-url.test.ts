import assert from "node:assert/strict";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { test } from "node:test";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { externalBase } from "./external-url.ts";
import { forwardingOf } from "./forwarding.ts";

const NONE = { relative: false };

interface Origin {
  readonly headers: IncomingHttpHeaders;
  readonly encrypted: boolean;
  readonly prefix: string;
}

function baseOf({ headers, ...origin }: Origin): string {
  const forwarded = forwardingOf({ headers } as IncomingMessage);
  return externalBase(NONE, { host: headers.host, forwarded, ...origin });
}

test("a connection that is encrypted gives https, unless a proxy says otherwise", () => {
  const origin = { headers: { host: "a" }, encrypted: true, prefix: "/p/" };
  assert.equal(baseOf(origin), "https://a/p/");
  const headers = { host: "a", "x-forwarded-proto": "http" };
  assert.equal(baseOf({ ...origin, headers }), "http://a/p/");
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
    assert.equal(baseOf({ headers, encrypted: false, prefix: "/" }), "http://h/", forwarded);
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
    assert.equal(baseOf({ headers, encrypted: false, prefix: "/" }), base, forwarded);
  }
});

test("open redirect: a Host that is none gives a relative URL", () => {
  for (const host of [
    undefined,
    "",
    " ",
    "a b",
    "a/b",
    "a?b",
    "a#b",
    "u@a",
    "<a>",
    'a"b',
    ":80",
    "a:b",
    "a:99999",
    "[a",
    "a:1:2",
  ]) {
    const headers = host === undefined ? {} : { host };
    assert.equal(baseOf({ headers, encrypted: false, prefix: "/p/" }), "/p/", String(host));
    const forwarded = { ...headers, forwarded: "proto=https", "x-forwarded-host": "x" };
    assert.equal(baseOf({ headers: forwarded, encrypted: false, prefix: "/p/" }), "/p/", String(host));
  }
});

test("a Host that is none gives way to one that a proxy forwards", () => {
  const headers = { host: "a b", "x-forwarded-host": "x:1" };
  assert.equal(baseOf({ headers, encrypted: false, prefix: "/" }), "http://x:1/");
});

test("names and addresses are hosts, with or without a port", () => {
  for (const host of ["a", "my_host.example:5000", "1.2.3.4:80", "[::1]", "[::ffff:1.2.3.4]:65535"]) {
    assert.equal(baseOf({ headers: { host }, encrypted: false, prefix: "/" }), `http://${host}/`);
  }
});

const MANY = 1_000_000;

for (const [what, forwarded, host] of [
  ["pairs", "a=b;".repeat(MANY), "h"],
  ["quoted values", `${'a="b;";'.repeat(MANY)}host=f`, "f"],
  ["quotes without an end", 'a="'.repeat(MANY), "h"],
  ["escapes without an end", `a="${"\\;".repeat(MANY)}`, "h"],
  ["blanks before something else", `a=b${" ".repeat(MANY)}x`, "h"],
  ["letters without a value", "a".repeat(MANY), "h"],
  ["elements", `host=f${',a="b"'.repeat(MANY)}`, "f"],
] as const) {
  test(`a Forwarded of a million ${what} is read in time that is linear in it`, () => {
    const headers = { host: "h", forwarded };
    const base = (): string => baseOf({ headers, encrypted: false, prefix: "/" });
    // The limit is far from both: linear is below a second, quadratic an hour.
    assert.equal(runInNewContext("base()", { base }, { timeout: 20_000 }), `http://${host}/`);
  });
}

test("whatever a client's headers say, the URL is http or https and names the request's prefix", () => {
  const text = fc.oneof(
    fc.string(),
    fc.constantFrom("https", "a.example:5", 'host="x";proto=https', "javascript:", "a/b?c#d"),
  );
  const names = ["host", "forwarded", "x-forwarded-proto", "x-forwarded-host"];
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...names), text), (some) => {
      const headers: IncomingHttpHeaders = { host: "h", ...some };
      const base = baseOf({ headers, encrypted: false, prefix: "/p/" });
      assert.match(base, /^(?:https?:\/\/[A-Za-z0-9.:[\]_-]+)?\/p\/$/);
    }),
    { numRuns: 2000 },
  );
});
