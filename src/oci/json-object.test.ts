import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ManifestInvalid } from "./errors.ts";
import { parseJsonObject } from "./json-object.ts";

const KEYS = ["size", "schemaVersion"];

/** The slow and certain way, which is told how each number is written. */
function markedSlowly(text: string): unknown {
  return JSON.parse(text, (key: string, value: unknown, context?: { readonly source?: string }) =>
    KEYS.includes(key) && Number.isInteger(value) && !/^-?\d+$/.test(context?.source ?? "")
      ? Number.POSITIVE_INFINITY
      : value,
  );
}

describe("a number that must be whole", () => {
  const numbers = [
    "2",
    "2.0",
    "2e0",
    "1E+2",
    "-0.0",
    "-7",
    "0.5",
    "1e-400",
    "9007199254740990.4",
    "1.00000000000000000001",
  ];
  const keys = [
    "size",
    "schemaVersion",
    "Size",
    "sizes",
    '\\"size',
    "\\\\size",
    "\\u0073ize",
    "s\\u0069\\u007a\\u007Ae",
  ];
  const spelt = [...keys, "\\u0073\\u0069\\u007A\\u0065", "siz\\u0065", "schema\\u0056ersion", ""];
  const strings = ['"size"', '"\\"size\\":2.0"', '"\\\\"', '"size\\":2.0,"', '"{\\"size\\": 2.0}"'];
  const white = fc.constantFrom("", " ", "\n\t", "\r\n ");
  const { document } = fc.letrec<{ document: string; value: string; object: string; list: string; member: string }>(
    (tie) => ({
      document: tie("object"),
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(...numbers, ...strings, "true", "null"),
        tie("object"),
        tie("list"),
      ),
      object: fc.array(tie("member"), { maxLength: 4 }).map((members) => `{${members.join(",")}}`),
      list: fc.array(tie("value"), { maxLength: 3 }).map((values) => `[${values.join(",")}]`),
      member: fc
        .tuple(white, fc.constantFrom(...spelt), white, white, tie("value"), white)
        .map(([a, key, b, c, value, d]) => `${a}"${key}"${b}:${c}${value}${d}`),
    }),
  );

  it("is told from one that is written as a fraction, wherever it stands in what is pushed", () => {
    fc.assert(
      fc.property(document, (text) => {
        assert.deepEqual(parseJsonObject(Buffer.from(text), "pushed"), markedSlowly(text));
        assert.deepEqual(parseJsonObject(Buffer.from(text), "stored"), JSON.parse(text));
      }),
      { numRuns: 3000 },
    );
  });

  it("makes no JSON of what is none, and the reverse", () => {
    const change = fc.tuple(fc.nat(), fc.nat(2), fc.constantFrom("", ".", '"', "\\", "0", "e", ",", "}", " "));
    fc.assert(
      fc.property(document, change, (text, [place, taken, added]) => {
        const at = place % text.length;
        const changed = `${text.slice(0, at)}${added}${text.slice(at + taken)}`;
        assert.equal(
          isRefused(() => parseJsonObject(Buffer.from(changed), "pushed")),
          !isJsonObject(changed),
        );
      }),
      { numRuns: 3000 },
    );
  });
});

describe("a document of 4 MiB", () => {
  const long = 4_000_000;
  const texts: Readonly<Record<string, string>> = {
    "with one long number": `{"size":1.${"0".repeat(long)}}`,
    "with one long exponent": `{"size":1e${"0".repeat(long)}}`,
    "with white space before a number": `{"size":${" ".repeat(long)}2.0}`,
    "with white space before a number that nobody reads": `{"x":[${" ".repeat(long)}2.0]}`,
  };
  for (const [what, text] of Object.entries(texts)) {
    it(`is read ${what}`, () => {
      assert.deepEqual(parseJsonObject(Buffer.from(text), "pushed"), markedSlowly(text));
    });
  }
});

function isRefused(action: () => unknown): boolean {
  try {
    action();
    return false;
  } catch (error) {
    assert.ok(error instanceof ManifestInvalid, String(error));
    return true;
  }
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
