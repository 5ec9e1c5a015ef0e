import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { compactForGo, membersOf, toGoJson } from "./go-json.ts";

const OBJECTS = fc.dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue());

describe("JSON as the peers print it", () => {
  it("says what plain JSON says, without a character that Go escapes", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, " ", "\t", "            "), (value, indent) => {
        const printed = toGoJson(value, indent);
        assert.doesNotMatch(printed, /[<>&\u2028\u2029]|(?<!\\)(?:\\\\)*\\[bf]/);
        assert.equal(JSON.stringify(JSON.parse(printed)), JSON.stringify(value));
      }),
    );
  });

  it("is indented as ours, also by more than JSON.stringify can", () => {
    const value = { a: [1, { b: [] }], c: {} };
    assert.equal(toGoJson(value, "   "), JSON.stringify(value, null, 3));
    assert.equal(toGoJson({ a: 1 }, "-".repeat(20)), `{\n${"-".repeat(20)}"a": 1\n}`);
  });

  it("has U+FFFD for half a surrogate pair", () => {
    assert.equal(toGoJson("a\ud800b"), '"a\ufffdb"');
  });

  it("has no short names for a backspace and a form feed, whatever backslashes stand around them", () => {
    assert.equal(toGoJson("\b\f\n"), '"\\u0008\\u000c\\n"');
    assert.equal(toGoJson("\\b\\\b\\\\f\0"), '"\\\\b\\\\\\u0008\\\\\\\\f\\u0000"');
  });
});

describe("the members of an object", () => {
  it("are found with their values' texts, whatever white space lies between", () => {
    fc.assert(
      fc.property(OBJECTS, fc.constantFrom(0, 1, "\t"), (object, indent) => {
        const members = membersOf(compactForGo(JSON.stringify(object, null, indent)));
        const expected = Object.entries(object).map(([key, value]) => [key, compactForGo(JSON.stringify(value))]);
        assert.deepEqual(Object.fromEntries(members), Object.fromEntries(expected));
      }),
    );
  });

  it("keep quotes, braces and backslashes within texts", () => {
    const text = '{ "a\\"}" : "\\\\" , "b" : [ "]" , "\\"," ] }';
    assert.deepEqual(
      [...membersOf(compactForGo(text))],
      [
        ['a"}', '"\\\\"'],
        ["b", '["]","\\","]'],
      ],
    );
  });

  it("are those of an empty object too", () => {
    assert.equal(membersOf(compactForGo("{ }")).size, 0);
  });
});
