import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { toWarnings } from "./warnings.ts";

test("sentences become quoted warnings, with quotes and backslashes escaped", () => {
  assert.deepEqual(toWarnings(["plain", 'a "b" \\ c']), ['299 - "plain"', '299 - "a \\"b\\" \\\\ c"']);
});

test("warnings of one answer stay within 4096 bytes, and the first that fit are kept", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "grapheme-ascii", maxLength: 1500 })), (sentences) => {
      const values = toWarnings(sentences);
      assert.ok(values.join(", ").length <= 4096);
      assert.deepEqual(values, toWarnings(sentences.slice(0, values.length)));
      const next = sentences[values.length];
      if (next !== undefined)
        assert.ok([...values, ...toWarnings([next])].join(", ").length + 8 > 4096 || next.length > 3000);
    }),
  );
});
