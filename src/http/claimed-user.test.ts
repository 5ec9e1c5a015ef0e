import assert from "node:assert/strict";
import { test } from "node:test";
import { claimedUser } from "./claimed-user.ts";

function bearer(payload: string): string {
  return `Bearer e30.${Buffer.from(payload).toString("base64url")}.c2ln`;
}

for (const [what, authorization, user] of [
  ["a user with a password", `Basic ${btoa("alice:secret:with colon")}`, "alice"],
  ["a user in any case of the scheme", `basic ${btoa("alice:x")}`, "alice"],
  ["a token's subject", bearer('{"sub":"robot$ci","iss":"x"}'), "robot$ci"],
  ["a token without a subject", bearer('{"iss":"x"}'), ""],
  ["a token with a subject that is no text", bearer('{"sub":{"a":1}}'), ""],
  ["a token that is null", bearer("null"), ""],
  ["a token that is no JSON", bearer("{"), ""],
  ["an opaque token", "Bearer abc", ""],
  ["another scheme", 'Digest username="alice"', ""],
  ["nothing", undefined, ""],
  ["a name without an end", `Basic ${btoa("a".repeat(5000))}`, "a".repeat(256)],
] as const) {
  test(`of ${what} the claimed user is ${user === "" ? "nobody" : user.slice(0, 20)}`, () => {
    assert.equal(claimedUser(authorization), user);
  });
}
