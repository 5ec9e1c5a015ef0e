import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { basic } from "../../test/support/access-request.ts";
import { parseBasic } from "./basic.ts";

test("user and password are parted at the first colon, bytes stay as they are", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.uint8Array(), (name, password) => {
      const user = name.replaceAll(":", "");
      const credentials = parseBasic(basic(user, password));
      assert.equal(credentials?.user, user);
      assert.deepEqual(new Uint8Array(credentials?.password ?? []), password);
    }),
  );
  assert.equal(parseBasic("bAsIc YTpiOmM=")?.password.toString(), "b:c");
});

test("what is no credentials is none", () => {
  for (const text of ["", "Basic", "Basic ", "Basic  YTpi", "Basic YTpi ", "Basic YTp", "Basic YWI=", "Bearer YTpi"]) {
    assert.equal(parseBasic(text), undefined, text);
  }
});
