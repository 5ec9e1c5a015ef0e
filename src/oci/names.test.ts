import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { NameInvalid, TagInvalid } from "./errors.ts";
import { isTag, parseRepositoryName, parseStoredName, parseTag } from "./names.ts";

const LOWER = "abcdefghijklmnopqrstuvwxyz0123456789";
const LETTERS = `${LOWER}${LOWER.toUpperCase()}`;

/** Text in which the interesting characters are frequent. */
const nameLike = fc.string({
  unit: fc.constantFrom("a", "0", "z", "a", "A", ".", "_", "_", "-", "-", "/", ":", "é", "\n"),
  maxLength: 24,
});
const component = fc
  .array(fc.constantFrom("a", "b0", "9"), { minLength: 1, maxLength: 4 })
  .chain((words) => fc.constantFrom(".", "_", "__", "-", "---").map((separator) => words.join(separator)));
const name = fc.array(component, { minLength: 1, maxLength: 5 }).map((components) => components.join("/"));

describe("repository names", () => {
  for (const text of ["a", "library/alpine", "a.b_c__d-e---f", "0/1/2", "a".repeat(255), `${"a/".repeat(127)}a`]) {
    it(`may be ${text.slice(0, 40)} (${text.length} characters)`, () => {
      assert.equal(parseRepositoryName(text), text);
      assert.equal(parseStoredName(text), text);
    });
  }

  const faults = [
    "",
    "/",
    "a/",
    "/a",
    "a//b",
    "A",
    ".a",
    "a.",
    "a..b",
    "a___b",
    "-a",
    "a-",
    "a_",
    "_a",
    "a._b",
    "a/../b",
  ];
  for (const text of [
    ...faults,
    "a/./b",
    "a b",
    "a\n",
    "a%2Fb",
    "a\0",
    "é",
    "a:5000/b",
    "a".repeat(256),
    "a/".repeat(1e6),
  ]) {
    it(`may not be ${JSON.stringify(text.slice(0, 40))} (${text.length} characters)`, () => {
      assert.throws(() => parseRepositoryName(text), NameInvalid);
    });
  }

  it("are what a plain reading of the grammar takes, and nothing else", () => {
    fc.assert(
      fc.property(fc.oneof(nameLike, name), (text) => {
        assert.equal(accepts(parseRepositoryName, text), isNameByHand(text));
      }),
      { numRuns: 2000 },
    );
  });
});

describe("stored repository names", () => {
  for (const text of ["Foo/bar", "Registry.Example.COM/a/b", "A-b/c", `${"h".repeat(20)}/${"a".repeat(255)}`]) {
    it(`may be ${text.slice(0, 40)} (${text.length} characters), which is readable and cannot be created`, () => {
      assert.equal(parseStoredName(text), text);
      assert.throws(() => parseRepositoryName(text), NameInvalid);
    });
  }

  for (const text of ["Foo", "a/Foo", "-A/b", "A-/b", "A..B/c", "A/", "../a", "A/../b", "A:5000/b", "A/".repeat(1e6)]) {
    it(`may not be ${JSON.stringify(text.slice(0, 40))}`, () => {
      assert.throws(() => parseStoredName(text), NameInvalid);
    });
  }

  for (const text of [`${"h".repeat(300)}/${"a".repeat(255)}`, `H/${"a".repeat(256)}`]) {
    it(`have a limit, which ${text.length} characters with ${text.length - text.indexOf("/") - 1} of path exceed`, () => {
      assert.throws(() => parseStoredName(text), NameInvalid);
    });
  }

  it("are what a plain reading of the peers' grammar takes, and nothing else", () => {
    const hosted = fc.tuple(nameLike, name).map((parts) => parts.join("/"));
    fc.assert(
      fc.property(fc.oneof(nameLike, hosted), (text) => {
        assert.equal(accepts(parseStoredName, text), isNameByHand(text) || isHostedByHand(text));
      }),
      { numRuns: 2000 },
    );
  });
});

describe("tags", () => {
  for (const text of ["latest", "_", "1.0-rc_1", "A", "a".repeat(128)]) {
    it(`may be ${text.slice(0, 40)}`, () => {
      assert.equal(parseTag(text), text);
    });
  }

  for (const text of ["", ".a", "-a", "a/b", "a:b", "a b", "a\n", "é", "a".repeat(129), "a".repeat(4e6)]) {
    it(`may not be ${JSON.stringify(text.slice(0, 40))} (${text.length} characters)`, () => {
      assert.throws(() => parseTag(text), TagInvalid);
    });
  }

  it("are what a plain reading of the grammar takes, and nothing else", () => {
    const long = fc.integer({ min: 120, max: 135 }).map((length) => "a".repeat(length));
    fc.assert(
      fc.property(fc.oneof(nameLike, long), (text) => {
        assert.equal(isTag(text), isTagByHand(text));
      }),
      { numRuns: 2000 },
    );
  });
});

function accepts(parse: (text: string) => string, text: string): boolean {
  try {
    return parse(text) === text;
  } catch {
    return false;
  }
}

function isNameByHand(text: string): boolean {
  return text.length <= 255 && text.split("/").every(isComponentByHand);
}

function isComponentByHand(text: string): boolean {
  if (!LOWER.includes(text.at(0) ?? " ") || !LOWER.includes(text.at(-1) ?? " ")) return false;
  let separator = "";
  for (const char of text) {
    if (!LOWER.includes(char)) separator += char;
    else if (separator !== "" && !isSeparatorByHand(separator)) return false;
    else separator = "";
  }
  return true;
}

function isSeparatorByHand(text: string): boolean {
  return text === "." || text === "_" || text === "__" || [...text].every((char) => char === "-");
}

function isHostedByHand(text: string): boolean {
  const [host = "", ...path] = text.split("/");
  const isHost = host.split(".").every(isLabelByHand);
  return (
    isHost && path.length > 0 && path.join("/").length <= 255 && text.length <= 510 && path.every(isComponentByHand)
  );
}

function isLabelByHand(text: string): boolean {
  const isEdge = (char: string | undefined) => char !== undefined && LETTERS.includes(char);
  return isEdge(text.at(0)) && isEdge(text.at(-1)) && [...text].every((char) => char === "-" || isEdge(char));
}

function isTagByHand(text: string): boolean {
  const [first, ...rest] = text;
  const isStart = first !== undefined && `${LETTERS}_`.includes(first);
  return isStart && text.length <= 128 && rest.every((char) => `${LETTERS}_.-`.includes(char));
}
