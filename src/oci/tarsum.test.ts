import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { DigestInvalid } from "./errors.ts";
import { blobPathOf, isTarsum, layerPathOf, methodOf, parseTarsum, type Tarsum, toTarsum } from "./tarsum.ts";

const HEX = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const LONG_HEX = `${HEX}${HEX}`;

describe("tarsums", () => {
  const known = [
    [`tarsum+sha256:${HEX}`, { version: "v0", algorithm: "sha256" }],
    [`tarsum.v1+sha256:${HEX}`, { version: "v1", algorithm: "sha256" }],
    [`tarsum.dev+sha256:${HEX}`, { version: "dev", algorithm: "sha256" }],
    [`tarsum+sha512:${LONG_HEX}`, { version: "v0", algorithm: "sha512" }],
    [`tarsum.v1+sha512:${LONG_HEX}`, { version: "v1", algorithm: "sha512" }],
    [`tarsum.v1+sha256:${HEX.toUpperCase()}`, { version: "v1", algorithm: "sha256" }],
  ] as const;
  for (const [text, method] of known) {
    it(`say how they were calculated: ${text.slice(0, 24)}`, () => {
      const tarsum = parseTarsum(text);
      assert.equal(tarsum, text);
      assert.deepEqual(methodOf(tarsum), method);
      assert.equal(toTarsum(method, text.slice(text.indexOf(":") + 1)), text);
    });
  }

  for (const text of [
    "tarsum+md5:0d7529ec7a8360155b48134b8e599f53",
    "tarsum.v2+sha256:abcdef",
    "tarsum.v0+sha256:ab",
    "tarsum.v1+SHA256:ab",
    `tarsum.v1+constructor:${HEX}`,
    "tarsum.v1+sha384:abcdef",
  ].map((each) => each.replace(/(?<=\+sha256:).*/, HEX))) {
    it(`are valid where nobody can verify them: ${text.slice(0, 28)}`, () => {
      assert.equal(methodOf(parseTarsum(text)), undefined);
    });
  }

  for (const [text, layer, blob] of [
    [`tarsum+sha256:${HEX}`, `tarsum/v0/sha256/${HEX}`, `tarsum/v0/sha256/e3/${HEX}`],
    [`tarsum.v1+sha256:${HEX}`, `tarsum/v1/sha256/${HEX}`, `tarsum/v1/sha256/e3/${HEX}`],
    ["tarsum.dev+md5:ABcd", "tarsum/dev/md5/ABcd", "tarsum/dev/md5/AB/ABcd"],
  ] as const) {
    it(`have a path: ${layer.slice(0, 20)}`, () => {
      assert.equal(layerPathOf(parseTarsum(text)), layer);
      assert.equal(blobPathOf(parseTarsum(text)), blob);
    });
  }

  const faults: readonly (readonly [text: string, fault: RegExp])[] = [
    ["", /format/],
    [`sha256:${HEX}`, /format/],
    [`tarsum:${HEX}`, /format/],
    [`tarsum-v1+sha256:${HEX}`, /format/],
    [`tarsum.+sha256:${HEX}`, /format/],
    [`tarsum.V1+sha256:${HEX}`, /format/],
    [`tarsum.v1 sha256:${HEX}`, /format/],
    [`tarsum.v1+:${HEX}`, /format/],
    [`tarsum.v1+sha_256:${HEX}`, /format/],
    ["tarsum.v1+sha256:", /format/],
    [`tarsum.v1+sha256:${HEX.slice(1)}g`, /format/],
    [`tarsum.v1+sha256:${HEX}\n`, /format/],
    [` tarsum.v1+sha256:${HEX}`, /format/],
    ["tarsum.v1+sha1:../../x", /format/],
    ["tarsum.v1+md5:a", /format/],
    [`tarsum.v1+md5:${"a".repeat(129)}`, /format/],
    [`tarsum.${"v".repeat(65)}+sha256:${HEX}`, /format/],
    [`tarsum.v1+${"m".repeat(65)}:${HEX}`, /format/],
    [`tarsum.v1+sha256:${LONG_HEX}`, /length: sha256 has 64/],
    [`tarsum.v1+sha512:${HEX}`, /length: sha512 has 128/],
  ];
  for (const [text, fault] of faults) {
    it(`refuse ${JSON.stringify(text.slice(0, 60))}`, () => {
      assert.throws(
        () => parseTarsum(text),
        (error) => error instanceof DigestInvalid && fault.test(String(error.detail)),
      );
      assert.equal(isTarsum(text), false);
    });
  }

  it("never leave the folder of tarsums, whatever the text", () => {
    const almost = fc
      .tuple(fc.constantFrom("", ".v1", ".dev", ".."), fc.string({ maxLength: 3 }), fc.constantFrom("ab", "/..", "0G"))
      .map(([version, algorithm, hex]) => `tarsum${version}+${algorithm}:${hex}`);
    let valid = 0;
    fc.assert(
      fc.property(fc.oneof(almost, fc.string()), (text) => {
        if (!isTarsum(text)) return;
        valid++;
        assert.match(layerPathOf(text), /^tarsum\/[a-z0-9]+\/[a-zA-Z0-9]+\/[a-fA-F0-9]+$/);
        assert.match(blobPathOf(text), /^tarsum\/[a-z0-9]+\/[a-zA-Z0-9]+\/[a-fA-F0-9]{2}\/[a-fA-F0-9]+$/);
      }),
      { numRuns: 2000 },
    );
    assert.ok(valid > 0);
  });

  it("give no path for a text that was never parsed", () => {
    assert.throws(() => layerPathOf("sha256:../.." as Tarsum), TypeError);
  });
});
