import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Scalar } from "./tree.ts";
import { urlPattern } from "./url-pattern.ts";

function compile(pattern: string): RegExp | undefined {
  const result = urlPattern.safeParse(new Scalar(pattern, pattern, "f:1"));
  return result.success ? result.data : undefined;
}

describe("a pattern for URLs", () => {
  it("matches anywhere unless it is anchored", () => {
    assert.ok(compile("example\\.com")?.test("https://example.com/x"));
    assert.ok(!compile("^example")?.test("https://example.com/x"));
  });

  it("may begin with flags", () => {
    const pattern = compile("(?i)^HTTPS://a|b");
    assert.ok(pattern?.test("https://A"));
    assert.ok(new RegExp(pattern?.source ?? "", "u").test("https://A"));
  });

  for (const pattern of [
    "^https?://[^/]+\\.example\\.com/",
    "^https://(a|b)\\.example/",
    "\\.(jpg|png)$",
    "[a-z]{2,5}",
  ]) {
    it(`may be ${pattern}`, () => assert.ok(compile(pattern) instanceof RegExp));
  }

  for (const pattern of ["(a+)+", "^https?://([^/]+\\.)*example\\.com/", "((a*)b)*"]) {
    it(`must not be ${pattern}, which could take for ever`, () => assert.equal(compile(pattern), undefined));
  }

  for (const pattern of ["(", "[", "a{2,1}", "*"]) {
    it(`must not be ${pattern}, which is none`, () => assert.equal(compile(pattern), undefined));
  }

  for (const pattern of [
    "\\Ahttps",
    "https\\z",
    "[[:alpha:]]",
    "\\pL",
    "(?P<n>a)",
    "(?=a)",
    "(?<!a)b",
    "(a)\\1",
    "(?x)a",
  ]) {
    it(`must not be ${pattern}, which the peers and JavaScript read differently`, () =>
      assert.equal(compile(pattern), undefined));
  }
});
