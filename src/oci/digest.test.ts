import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import { algorithmOf, type DigestAlgorithm, digestOf, encodedOf, isDigest, parseDigest, toDigest } from "./digest.ts";
import { DigestInvalid } from "./errors.ts";

const EMPTY = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const LENGTHS = { sha256: 64, sha384: 96, sha512: 128 } as const;
const algorithm = fc.constantFrom<DigestAlgorithm>("sha256", "sha384", "sha512");

describe("digests", () => {
  it("take the three algorithms that this registry computes", () => {
    for (const [name, length] of Object.entries(LENGTHS)) {
      assert.equal(parseDigest(`${name}:${"0a".repeat(length / 2)}`), `${name}:${"0a".repeat(length / 2)}`);
    }
  });

  const faults: readonly (readonly [text: string, fault: RegExp])[] = [
    ["", /format/],
    ["sha256", /format/],
    ["sha256:", /format/],
    [":abc", /format/],
    ["sha256:abc", /length: sha256 has 64/],
    ["sha256:not/hex", /length/],
    [`sha256:${"A".repeat(64)}`, /format: expected lower-case hex/],
    [`sha256:${"g".repeat(64)}`, /format/],
    [`sha256:${"a".repeat(63)}\n`, /format/],
    [`${EMPTY}\n`, /length/],
    [`sha512:${"a".repeat(64)}`, /length: sha512 has 128/],
    [`md5:${"a".repeat(32)}`, /unsupported digest algorithm: expected one of sha256, sha384, sha512/],
    ["tarsum.v1+sha256:abc", /unsupported/],
    ["__proto__:abc", /format/],
    ["constructor:abc", /unsupported/],
    ["SHA256:abc", /format/],
    ["md5:a/b", /format/],
    [`${"a".repeat(5000)}:a`, /format/],
  ];
  for (const [text, fault] of faults) {
    it(`refuse ${JSON.stringify(text.slice(0, 80))}`, () => {
      assert.throws(
        () => parseDigest(text),
        (error) => error instanceof DigestInvalid && fault.test(String(error.detail)),
      );
      assert.equal(isDigest(text), false);
    });
  }

  it("come apart and together again", () => {
    fc.assert(
      fc.property(fc.uint8Array(), algorithm, (bytes, name) => {
        const digest = digestOf(bytes, name);
        assert.equal(encodedOf(digest), createHash(name).update(bytes).digest("hex"));
        assert.equal(algorithmOf(digest), name);
        assert.equal(parseDigest(toDigest(algorithmOf(digest), encodedOf(digest))), digest);
      }),
    );
  });

  it("are sha256 where nobody says otherwise", () => {
    assert.equal(digestOf(new Uint8Array()), EMPTY);
  });

  it("are what a plain reading of the grammar takes, and nothing else", () => {
    const almost = fc
      .tuple(
        fc.constantFrom("sha256", "sha384", "sha512", "sha1", "SHA256", ""),
        fc.constantFrom(":", "", "::", "@"),
        fc.constantFrom(63, 64, 65, 96, 128),
        fc.constantFrom("0", "f", "F", "g", " "),
        fc.string({ maxLength: 1 }),
      )
      .map(([name, colon, length, last, behind]) => `${name}${colon}${"a".repeat(length - 1)}${last}${behind}`);
    fc.assert(
      fc.property(fc.oneof(almost, fc.string()), (text) => {
        assert.equal(isDigest(text), isDigestByHand(text));
      }),
      { numRuns: 1000 },
    );
  });
});

function isDigestByHand(text: string): boolean {
  const [name = "", hex = "", ...more] = text.split(":");
  const length = Object.entries(LENGTHS).find(([known]) => known === name)?.[1];
  return more.length === 0 && hex.length === length && [...hex].every((char) => "0123456789abcdef".includes(char));
}
