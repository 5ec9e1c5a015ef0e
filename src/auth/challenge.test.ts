import assert from "node:assert/strict";
import { validateHeaderValue } from "node:http";
import { test } from "node:test";
import fc from "fast-check";
import { anyText } from "../../test/support/any-text.ts";
import { quoted } from "./challenge.ts";

test("a quoted text can be sent as a header, whatever it is", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const value = quoted(text);
      validateHeaderValue("www-authenticate", value);
      assert.match(value, /^"(?:[^"\\]|\\.)*"$/s);
    }),
  );
});

test("quotes, backslashes and control characters are escaped as Go does it, other text is UTF-8", () => {
  assert.equal(quoted('a"b\\c'), '"a\\"b\\\\c"');
  assert.equal(quoted("a\r\nb\0\x7f"), '"a\\r\\nb\\x00\\x7f"');
  assert.equal(Buffer.from(quoted("é→"), "latin1").toString(), '"é→"');
});
