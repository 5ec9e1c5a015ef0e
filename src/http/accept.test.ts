import assert from "node:assert/strict";
import { test } from "node:test";
import { acceptsAnything, parseAccept } from "./accept.ts";

test("media types lose their parameters, spaces and upper case", () => {
  assert.deepEqual([...parseAccept(" A/B;q=0.5 , c/d+json,,;x, a/b")], ["a/b", "c/d+json"]);
  assert.deepEqual([...parseAccept(undefined)], []);
});

test("a client takes anything that says so or says nothing", () => {
  for (const header of [undefined, "", " , ", "*/*", "a/b, */*;q=0.1", "application/*"]) {
    assert.ok(acceptsAnything(parseAccept(header)), String(header));
  }
  for (const header of ["a/b", "text/*", "*"]) assert.ok(!acceptsAnything(parseAccept(header)), header);
});
