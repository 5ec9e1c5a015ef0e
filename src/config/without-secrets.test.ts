import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "./config-error.ts";
import { withoutSecrets } from "./without-secrets.ts";

const PEM = "-----BEGIN RSA PRIVATE KEY-----\nS\nS\n-----END RSA PRIVATE KEY-----";

for (const [sentence, masked] of [
  ["ENOENT: open 'ftp://u:S@h/k?t=S', or not", "ENOENT: open 'ftp://…@h/k?…', or not"],
  ["such as https://host/path, or me@host", "such as https://host/path, or me@host"],
  ["https://u:S@S@h", "https://…@h"],
  [`open '${PEM}\n'`, "open '…\n'"],
  [`open '${PEM.replaceAll("\n", " ")}'`, "open '…'"],
  ["open '-----BEGIN PRIVATE KEY-----\nS", "open '…"],
] as const) {
  test(`${JSON.stringify(sentence)} is said as ${JSON.stringify(masked)}`, () =>
    assert.equal(withoutSecrets(sentence), masked));
}

test("an error of the configuration says nothing else", () => {
  const error = new ConfigError("a.b", `cannot be read: open '${PEM}'`);
  assert.equal(error.message, "a.b: cannot be read: open '…'");
  assert.doesNotMatch(JSON.stringify(error.finding), /S/);
});
