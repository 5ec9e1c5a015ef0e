import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Finding, inOrder, toLine } from "./finding.ts";

function finding(where: string, about: string, fatal: boolean = false): Finding {
  return { about, where, sentence: about, fatal };
}

describe("findings", () => {
  it("are told once for each subject, as it was found first", () => {
    assert.deepEqual(inOrder([finding("f:2", "a"), finding("f:1", "a")]), [finding("f:2", "a")]);
  });

  it("are told both where one is an error and one a warning", () => {
    assert.equal(inOrder([finding("f:1", "a"), finding("f:1", "a", true)]).length, 2);
  });

  it("stand in the order of their lines, after those of variables", () => {
    const found = [finding("f:10", "a"), finding("f:9", "b"), finding("REGISTRY_X", "c"), finding("f:9", "d")];
    assert.deepEqual(
      inOrder(found).map(({ about }) => about),
      ["c", "b", "d", "a"],
    );
  });

  it("are one line each", () => {
    assert.equal(toLine(finding("f\n:1", "a\r\nb")), "f :1: a b");
    assert.equal(toLine(finding("", "a")), "a");
  });
});
