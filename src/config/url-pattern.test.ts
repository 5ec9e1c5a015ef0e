import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as v from "valibot";
import type { UrlPattern } from "./config.ts";
import { Scalar } from "./tree.ts";
import { urlPattern } from "./url-pattern.ts";

function compile(pattern: string): UrlPattern | undefined {
  const result = v.safeParse(urlPattern, new Scalar(pattern, pattern, "f:1"));
  return result.success ? result.output : undefined;
}

describe("a pattern for URLs", () => {
  it("matches anywhere unless it is anchored", () => {
    assert.ok(compile("example\\.com")?.test("https://example.com/x"));
    assert.equal(compile("^example")?.test("https://example.com/x"), false);
  });

  for (const [pattern, yes, no] of [
    ["^https?://([^/]+\\.)*example\\.com/", "http://a.b.example.com/", "http://example.org/"],
    ["(?i)^HTTPS://a", "https://A", "ftp://a"],
    ["\\Ahttps", "https://a", " https://a"],
    ["[[:digit:]]\\z", "a1", "1a"],
    ["\\pL", "é", "1"],
    ["^$", "", "https://a"],
  ] as const) {
    it(`reads ${pattern} as the peers do`, () => {
      assert.equal(compile(pattern)?.test(yes), true);
      assert.equal(compile(pattern)?.test(no), false);
    });
  }

  it("takes no longer where a backtracking engine would take for ever", () => {
    assert.equal(compile("^(a+)+$")?.test(`${"a".repeat(5000)}!`), false);
  });

  for (const pattern of ["(", "[", "a{2,1}", "*", "(?=a)", "(?<!a)b", "(a)\\1"]) {
    it(`must not be ${pattern}, which RE2 does not know`, () => assert.equal(compile(pattern), undefined));
  }
});
