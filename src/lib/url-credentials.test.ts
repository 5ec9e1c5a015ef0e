import assert from "node:assert/strict";
import { test } from "node:test";
import { splitCredentials } from "./url-credentials.ts";

for (const [text, url, pair] of [
  ["https://host/a?b=c", "https://host/a?b=c", undefined],
  ["https://me:pass@host/a?b=c", "https://host/a?b=c", "me:pass"],
  ["https://me@host/", "https://host/", "me:"],
  ["https://:pass@host/", "https://host/", ":pass"],
  ["https://m%40e:p%3Ass@w@host/", "https://host/", "m@e:p:ss@w"],
  ["https://me:100%zz@host/", "https://host/", "me:100%zz"],
] as const) {
  test(`of ${text} the name and the password are ${pair ?? "none"}`, () => {
    const split = splitCredentials(text);
    assert.equal(split.url.href, url);
    assert.equal(split.authorization, pair && `Basic ${Buffer.from(pair).toString("base64")}`);
  });
}

test("what is no URL is not quoted", () => {
  assert.throws(
    () => splitCredentials("https://me:pass@host:port/"),
    (error: Error) => !/pass/.test(error.message),
  );
});
