import assert from "node:assert/strict";
import { test } from "node:test";
import { checkNames } from "./check-names.ts";

for (const [uri, name] of [
  ["http://HOST:80/a", "http://HOST:80/a"],
  ["http://me:S@host/a", "http://…@host/a"],
  ["http://me:S@S@host", "http://…@host/"],
  ["http://S@host/", "http://…@host/"],
  ["https://host/a?k=S&l=S=S&S#S", "https://host/a?k=…&l=…&…"],
  ["http://[S", "…"],
] as const) {
  test(`a check of ${uri} is called ${name}`, () => assert.deepEqual(checkNames([uri]), [name]));
}

test("checks that differ only in what their names leave out are told apart", () => {
  assert.deepEqual(checkNames(["http://h/?k=1", "http://h/", "http://h/?k=2"]), [
    "http://h/?k=…",
    "http://h/",
    "http://h/?k=… (2)",
  ]);
});
