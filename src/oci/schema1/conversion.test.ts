import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { parseDocument } from "../../../test/support/schema1-manifest.ts";
import { OBSERVED } from "../../../test/support/schema1-observed.ts";
import type { Descriptor } from "../descriptor.ts";
import { type Digest, digestOf } from "../digest.ts";
import { ManifestInvalid } from "../errors.ts";
import type { RepositoryName, Tag } from "../names.ts";
import { type ConvertedManifest, EMPTY_LAYER, longestPayload, toSchema1 } from "./conversion.ts";
import { parseSignedDocument } from "./signed-document.ts";

const [NAME, TAG] = ["n/one" as RepositoryName, "t" as Tag];
const [A, B] = [digestOf(Buffer.from("a")), digestOf(Buffer.from("b"))];
const EMPTY = '{"created":"2020-01-01T00:00:00Z","created_by":"x","empty_layer":true}';
const MADE = '{"created":"2020-01-01T00:00:01Z","created_by":"y"}';

describe("an image of schema 2 that is converted to schema 1", () => {
  it("is what was observed, byte for byte", () => {
    const converted = toSchema1({ layers: [layer(digestOf(OBSERVED.layer))] }, OBSERVED.config, NAME, TAG);
    const { payload } = parseSignedDocument(OBSERVED.document);
    assert.equal(text(converted), Buffer.from(payload).toString());
    assert.equal(converted.payload.length, 822);
    assert.equal(converted.digest, "sha256:675bee76048257b10813a2cb3660e9dfa4a15e739c6f59327110ef66b1f0a6ba");
    assert.deepEqual(
      history(converted).map((entry) => idOf(entry)),
      [
        "6cb3780fd5832910fc4adf2907b52aacd12668b54dab422d30e808f876e284d0",
        "3690474eb5b4b26fdfbd89c6e159e8cc376ca76ef48032a30fa6aafd56337880",
      ],
    );
    assert.equal(converted.needsEmptyLayer, true);
  });

  it("needs the empty layer, a tar without entries, only where a step made none", () => {
    assert.equal(digestOf(EMPTY_LAYER.bytes), EMPTY_LAYER.digest);
    assert.ok(gunzipSync(EMPTY_LAYER.bytes).every((byte) => byte === 0));
    assert.equal(convert(`"history":[${MADE}]`).needsEmptyLayer, false);
    assert.equal(convert(`"history":[${MADE},${EMPTY}]`).needsEmptyLayer, true);
  });

  it("has its layers newest first, the empty one where nothing was changed", () => {
    const converted = convert(`"history":[${EMPTY},${MADE},${EMPTY},${MADE}]`, [A, B]);
    assert.deepEqual(parseDocument(converted.payload).blobSums, [B, EMPTY_LAYER.digest, A, EMPTY_LAYER.digest]);
    assert.deepEqual(
      history(converted).map((entry) => entry.includes('"throwaway":true')),
      [false, true, false, true],
    );
  });

  it("keeps on top the configuration, values as they were written and keys in the order of their bytes", () => {
    const values = {
      numbers: "[1e400,123456789012345678901234567890,-0.0,1E5,0.10]",
      nested: '{"b":1,"10":2,"9":3,"b":4}',
      escapes: '"\\/\\u00e9\\u003c"',
      null: "null",
    };
    const members = Object.entries(values).map(([key, value]) => `"${key}" : ${value}`);
    const [top] = history(convert(`${members.join(" ,\n")},"\u{1f600}":1,"\uffee":2,"history":[${MADE}]`));
    const { id: _, ...expected } = { id: "", ...values };
    const found = [...Object.entries(expected), ["\u{1f600}", "1"], ["\uffee", "2"]];
    for (const [key, value] of found)
      assert.ok(top?.includes(`"${key}":${value}`), `${key} is not as it was in ${top}`);
    assert.match(top ?? "", /^\{"escapes":.*"id":.*"nested":.*"null":.*"numbers":.*"\uffee":2,"\u{1f600}":1\}$/u);
    assert.doesNotMatch(top ?? "", /"history"|"rootfs"/);
  });

  it("hashes the configuration's bytes as they are into the id on top", () => {
    const config = Buffer.from(` ${configText(`"history" : [${MADE}]`, 1)} `);
    const [top] = history(toSchema1({ layers: [layer(A)] }, config, NAME, TAG));
    const seed = Buffer.concat([Buffer.from(`${A.slice(7)}  `), config]);
    assert.equal(idOf(top), createHash("sha256").update(seed).digest("hex"));
  });

  it("escapes what Go escapes, in texts and in what is kept", () => {
    const odd =
      '{"created_by":"<&>\u2028\\b\\f\\u0001\\u007f\\\\b\\ud800","comment":"c","author":"a","empty_layer":true}';
    const [top, below] = history(convert(`"a":"<&>\u2029","history":[${odd},${MADE}]`));
    assert.match(top ?? "", /^\{"a":"\\u003c\\u0026\\u003e\\u2029",/);
    assert.equal(
      below?.replace(/"id":"[0-9a-f]{64}"/, '"id":0'),
      '{"id":0,"comment":"c","created":"0001-01-01T00:00:00Z","container_config":{"Cmd":["\\u003c\\u0026\\u003e\\u2028\\u0008\\u000c\\u0001\x7f\\\\b\ufffd"]},"author":"a","throwaway":true}',
    );
  });

  const times: readonly (readonly [string, string])[] = [
    ["2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z"],
    ["2020-01-01T00:00:00.120Z", "2020-01-01T00:00:00.12Z"],
    ["2020-01-01T00:00:00.000Z", "2020-01-01T00:00:00Z"],
    ["2020-01-01T00:00:00.1234567899Z", "2020-01-01T00:00:00.123456789Z"],
    ["2020-01-01T00:00:00+00:00", "2020-01-01T00:00:00Z"],
    ["2020-02-29T23:59:59-05:30", "2020-02-29T23:59:59-05:30"],
  ];
  for (const [stated, printed] of times) {
    it(`prints the time ${stated} as ${printed}`, () => {
      const [, below] = history(convert(`"history":[{"created":"${stated}","empty_layer":true},${MADE}]`));
      assert.ok(below?.includes(`"created":"${printed}"`), String(below));
    });
  }

  it("of Windows lies on its base, which the ids do not show", () => {
    const members = `"history":[${EMPTY},${EMPTY},${MADE}]`;
    const [plain, windows] = [convert(members), convert(members, [A], ',"base_layer":"sha256:base"')];
    const parents = history(windows).map((entry) => JSON.parse(entry).parent);
    const base = createHash("sha384").update("sha256:base").digest("hex").slice(0, 64);
    assert.deepEqual(parents, [...history(plain).slice(1).map(idOf), base]);
    assert.deepEqual(history(windows).slice(1).map(idOf), history(plain).slice(1).map(idOf));
    assert.equal(JSON.parse(history(plain)[2] ?? "").parent, undefined);
  });

  it("may have a thousand steps", () => {
    assert.equal(history(convert(`"history":[${MADE},${Array(999).fill(EMPTY)}]`)).length, 1000);
  });

  const LIMIT = 4 * 1024 * 1024;
  const growing: Readonly<Record<string, (length: number) => string>> = {
    "in a step": (length) => `"history":[${step("<".repeat(length))},${MADE}]`,
    "in many steps": (length) => `"history":[${Array(900).fill(step("<".repeat(length / 900)))},${MADE}]`,
    "in what is kept": (length) => `"a":"${"<".repeat(length)}","history":[${MADE}]`,
  };
  for (const [where, members] of Object.entries(growing)) {
    it(`may have 4 MiB and no more, however much the texts grow ${where}`, () => {
      const { length } = convert(members(450_000)).payload;
      assert.ok(length > 7 * 449_000 && length <= LIMIT, String(length));
      for (const growth of [620_000, 1_000_000]) {
        assert.throws(
          () => convert(members(growth)),
          refusal(/^converted to schema 1 it would have more than 4194304/),
        );
      }
    });
  }

  it("becomes no longer than its configuration lets expect", () => {
    const sha512 = digestOf(Buffer.from("a"), "sha512");
    for (const text of ["", "<", '\\b\\"', "\\\\", "\u2028", "é"]) {
      const members = `"history":[${Array(900).fill(step(text, false))}]`;
      const { length } = convert(members, Array(900).fill(sha512)).payload;
      const size = Buffer.byteLength(configText(members, 900));
      assert.ok(length <= longestPayload(size), `${length} of ${size} bytes of ${text}`);
    }
    assert.equal(longestPayload(1024 * 1024), LIMIT);
    assert.ok(longestPayload(10_000) < LIMIT / 4);
  });

  it("of one step has no parent, on Windows neither", () => {
    for (const rootfs of ["", ',"base_layer":"sha256:base"']) {
      assert.equal(JSON.parse(history(convert(`"history":[${MADE}]`, [A], rootfs))[0] ?? "").parent, undefined);
    }
  });

  it("has ids that each hold its layer and its parent, for any history", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 8 }), fc.jsonValue(), (empty, value) => {
        const layers = empty.filter((one) => !one).map((_, index) => digestOf(Buffer.from(String(index))));
        const steps = empty.map((one) => (one ? EMPTY : MADE)).join(",");
        const converted = convert(`"value":${JSON.stringify(value)},"history":[${steps}]`, layers);
        const { blobSums, history: texts } = parseDocument(converted.payload);
        const entries = texts.map((entry) => JSON.parse(entry));
        entries.forEach((entry, index) => {
          assert.equal(entry.parent, entries[index + 1]?.id);
          const seed = `${blobSums[index]?.slice(7)} ${entry.parent ?? ""}`;
          if (index > 0) assert.equal(entry.id, createHash("sha256").update(seed).digest("hex"));
        });
        assert.equal(JSON.stringify(entries[0].value), JSON.stringify(JSON.parse(JSON.stringify(value))));
      }),
      { numRuns: 200 },
    );
  });

  const faults: readonly (readonly [what: string, config: string, reason: RegExp])[] = [
    ["a configuration that is not JSON", "{", /must be a JSON object in UTF-8/],
    ["a configuration that is no object", "[]", /must be a JSON object in UTF-8/],
    ["no history", configText('"os":"linux"', 1), /^empty history/],
    ["a history of nothing", configText('"history":[]', 0), /the configuration speaks of 0 layers, the manifest of 1/],
    ["an empty history", configText('"history":[]', 1), /^empty history/],
    ["no rootfs", `{"history":[${MADE}]}`, /speaks of 0 layers, the manifest of 1/],
    ["too many layers in its history", configText(`"history":[${MADE},${MADE}]`, 1), /^too many non-empty layers/],
    ["too few layers in its history", configText(`"history":[${EMPTY}]`, 1), /^too few non-empty layers/],
    [
      "a history of 1001 steps",
      configText(`"history":[${MADE},${Array(1000).fill(EMPTY)}]`, 1),
      /^the history has 1001 steps: up to 1000 can be converted to schema 1/,
    ],
    ["a history that is no list", configText('"history":{}', 1), /history must be an array/],
    ["a step that is no object", configText('"history":["a"]', 1), /history\[0\] must be an object/],
    [
      "a step with a number for its author",
      configText('"history":[{"author":1}]', 1),
      /history\[0\].author must be a string/,
    ],
    ["a step that is empty by a text", configText('"history":[{"empty_layer":"true"}]', 1), /must be true or false/],
    ["a time without an offset", configText('"history":[{"created":"2020-01-01T00:00:00"}]', 1), /must be a time/],
    ["a time on no day", configText('"history":[{"created":"2021-02-29T00:00:00Z"}]', 1), /must be a time/],
    ["a time with a long day", configText('"history":[{"created":"2021-02-28T24:00:00Z"}]', 1), /must be a time/],
    ["an offset of two days", configText('"history":[{"created":"2021-02-28T00:00:00+48:00"}]', 1), /must be a time/],
    ["an architecture that is a number", configText(`"architecture":1,"history":[${MADE}]`, 1), /architecture must be/],
  ];
  for (const [what, config, reason] of faults) {
    it(`cannot be with ${what}`, () => {
      assert.throws(() => toSchema1({ layers: [layer(A)] }, Buffer.from(config), NAME, TAG), refusal(reason));
    });
  }

  it("cannot be with a configuration that is not UTF-8", () => {
    const config = Buffer.from(configText(`"a":"\xff","history":[${MADE}]`, 1), "latin1");
    assert.throws(() => toSchema1({ layers: [layer(A)] }, config, NAME, TAG), refusal(/in UTF-8/));
  });
});

function convert(members: string, layers: readonly Digest[] = [A], rootfs = ""): ConvertedManifest {
  return toSchema1({ layers: layers.map(layer) }, Buffer.from(configText(members, layers.length, rootfs)), NAME, TAG);
}

function step(text: string, empty = true): string {
  return `{"created_by":"${text}","empty_layer":${empty}}`;
}

function configText(members: string, layers: number, rootfs = ""): string {
  const diffIds = Array(layers).fill(`"sha256:${"1".repeat(64)}"`);
  return `{${members},"rootfs":{"type":"layers","diff_ids":[${diffIds}]${rootfs}}}`;
}

function layer(digest: Digest): Descriptor {
  return { mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip", digest, size: 1 };
}

/** Newest first. */
function history(converted: ConvertedManifest): readonly string[] {
  return parseDocument(converted.payload).history;
}

function idOf(entry: string | undefined): string {
  return JSON.parse(entry ?? "{}").id;
}

function text({ payload }: ConvertedManifest): string {
  return Buffer.from(payload).toString();
}

function refusal(reason: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof ManifestInvalid, String(error));
    assert.match(String(error.detail), reason);
    return true;
  };
}
