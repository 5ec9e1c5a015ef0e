import assert from "node:assert/strict";
import { posix } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { parseTarget, type Target } from "./target.ts";

test("reads every URL as a plain reading of the reference does", () => {
  fc.assert(
    fc.property(anyUrl(), fc.constantFrom("/", "/pre/", "/v2/"), (url, prefix) => {
      assert.deepEqual(facts(parseTarget(url, prefix)), readPlainly(url, prefix), `${url} under ${prefix}`);
    }),
    { numRuns: 20_000 },
  );
});

test("reads any text without failing", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (url) => {
      assert.ok(parseTarget(url, "/").kind);
    }),
    { numRuns: 5000 },
  );
});

test("keeps prefix, URL and query for the handlers", () => {
  const target = parseTarget("http://host.example/pre/v2/a/tags/list?n=1&n=2&x=%2F+y?z", "/pre/");
  assert.equal(target.prefix, "/pre/");
  assert.equal(target.url, "/pre/v2/a/tags/list?n=1&n=2&x=%2F+y?z");
  assert.deepEqual(
    [...target.query],
    [
      ["n", "1"],
      ["n", "2"],
      ["x", "/ y?z"],
    ],
  );
});

/** What access control and handlers go by. */
interface Facts {
  readonly kind: string;
  readonly name: string;
  readonly reference: string;
  readonly redirect: string | undefined;
  readonly problem: boolean;
}

function facts({ kind, name, reference, redirect, problem }: Target): Facts {
  return { kind, name, reference, redirect, problem: problem !== undefined };
}

const NOWHERE: Facts = { kind: "unknown", name: "", reference: "", redirect: undefined, problem: false };

/** Section 2 of the reference, in its own order and with regular expressions. */
function readPlainly(url: string, prefix: string): Facts {
  const path = url.split("?")[0] ?? "";
  const query = url.slice(path.length);
  if (path.includes("\\")) return { ...NOWHERE, problem: true };
  const clean = cleanly(path);
  if (clean !== path) return { ...NOWHERE, redirect: clean + query };
  const decoded = decodeOnce(path);
  if (decoded === undefined || decoded.includes("\0") || cleanly(decoded) !== decoded) {
    return { ...NOWHERE, problem: true };
  }
  if (decoded === "/") return { ...NOWHERE, kind: "root" };
  if (!decoded.startsWith(prefix)) return NOWHERE;
  return { ...NOWHERE, ...route(decoded.slice(prefix.length), path, query) };
}

function route(decoded: string, path: string, query: string): Partial<Facts> {
  const tag = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}";
  const routes: readonly (readonly [kind: string, pattern: RegExp, slash?: "add" | "drop"])[] = [
    ["base", /^v2\/$/],
    ["base", /^v2$/, "add"],
    ["tags", /^v2\/(.+)\/tags\/list$/s],
    ["manifest", new RegExp(`^v2/(.+)/manifests/(${tag}|[^/]*:[^/]*)$`, "s")],
    ["uploads", /^v2\/(.+)\/blobs\/uploads$/s, "add"],
    ["blob", /^v2\/(.+)\/blobs\/([^/]+)$/s],
    ["uploads", /^v2\/(.+)\/blobs\/uploads\/$/s],
    ["referrers", /^v2\/(.+)\/referrers\/([^/]+)$/s],
    ["upload", /^v2\/(.+)\/blobs\/uploads\/([^/]+)$/s],
    ["catalog", /^v2\/_catalog$/],
    ["catalog", /^v2\/_catalog\/$/, "drop"],
  ];
  for (const [kind, pattern, slash] of routes) {
    const match = pattern.exec(decoded);
    if (!match) continue;
    const mended = slash === "add" ? `${path}/` : path.slice(0, -1);
    return { kind, name: match[1] ?? "", reference: match[2] ?? "", redirect: slash && mended + query };
  }
  return {};
}

/** A path that ends in dots names a folder. */
function cleanly(path: string): string {
  const normal = posix.normalize(path);
  return /\/\.{1,2}$/.test(path) && !normal.endsWith("/") ? `${normal}/` : normal;
}

function decodeOnce(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

function anyUrl(): fc.Arbitrary<string> {
  const words = ["v2", "tags", "list", "manifests", "blobs", "uploads", "referrers", "_catalog", "pre"];
  const names = ["a", "b-c", "Foo", "sha256:abc", "x:y", ".t", "t".repeat(129), "%61", "a%2Fb", "%0a", "é"];
  const tricks = [
    "",
    ".",
    "..",
    "...",
    "%2e%2e",
    "%2E",
    "%2F",
    "%00",
    "%",
    "%zz",
    "%c3%a9",
    "%252e",
    "%3F",
    "%3a",
    "\\",
  ];
  const part = fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(...words) },
    { weight: 2, arbitrary: fc.constantFrom(...names) },
    { weight: 1, arbitrary: fc.constantFrom(...tricks) },
  );
  const start = fc.constantFrom("/", "/v2/", "/v2/a/", "/pre/v2/a/", "/v2/v2/");
  const path = fc.tuple(start, fc.array(part, { maxLength: 6 })).map(([first, parts]) => first + parts.join("/"));
  const query = fc.constantFrom("", "?", "?n=1", "?last=q/blobs/z", "?ns=/v2/x/manifests/y", "?a=../..//%00?b");
  return fc.tuple(path, query).map(([first, last]) => first + last);
}
