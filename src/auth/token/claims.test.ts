import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { allows, allowsClass, type Claims, parseClaims } from "./claims.ts";
import { TokenInvalid } from "./token-invalid.ts";

const NOW = 1_000_000_000_000;
const SECONDS = NOW / 1000;
const RULES = { issuer: "i", service: "s" };

function parse(claims: object, now = NOW): Claims {
  const whole = { iss: "i", aud: "s", exp: SECONDS + 100, sub: "me", ...claims };
  return parseClaims(Buffer.from(JSON.stringify(whole)), RULES, now);
}

describe("the claims of a token", () => {
  test("name the user, who may have no name", () => {
    assert.equal(parse({}).user, "me");
    assert.equal(parse({ sub: "" }).user, "");
    assert.equal(parse({ sub: undefined }).user, "");
  });

  test("are for one service, or for it among others", () => {
    assert.ok(parse({ aud: ["other", "s"] }));
    for (const aud of ["other", "", undefined, null, [], ["other"], [["s"]], { s: 1 }]) {
      assert.throws(() => parse({ aud }), TokenInvalid);
    }
    for (const iss of ["other", "", undefined, null, ["i"]]) assert.throws(() => parse({ iss }), TokenInvalid);
  });

  test("count from a minute before their time to a minute after it", () => {
    assert.ok(parse({ exp: SECONDS - 60 }));
    assert.throws(() => parse({ exp: SECONDS - 61 }), /has expired/);
    assert.ok(parse({ nbf: SECONDS + 60 }));
    assert.throws(() => parse({ nbf: SECONDS + 61 }), /not valid yet/);
    assert.ok(parse({ exp: SECONDS + 0.5, nbf: SECONDS - 0.5 }));
  });

  test("without a time that is one count for nothing", () => {
    for (const time of [undefined, null, "1", "", {}, []]) assert.throws(() => parse({ exp: time }), TokenInvalid);
    for (const time of [null, "1", {}]) assert.throws(() => parse({ nbf: time }), TokenInvalid);
    assert.throws(() => parseClaims(Buffer.from('{"iss":"i","aud":"s","exp":1e999}'), RULES, NOW), TokenInvalid);
  });

  test("allow the classes that they name for a resource, image where they name none, and all of others", () => {
    const claims = parse({
      access: [
        { type: "repository", name: "a", class: "", actions: ["push"] },
        { type: "repository", name: "b", class: "plugin", actions: ["push"] },
        { type: "repository", name: "both", actions: ["pull"] },
        { type: "repository", name: "both", class: "plugin", actions: ["push"] },
      ],
    });
    const allowed = (name: string): readonly boolean[] =>
      ["image", "plugin", "model"].map((one) => allowsClass(claims, "repository", name, one));
    assert.deepEqual(allowed("a"), [true, false, false]);
    assert.deepEqual(allowed("b"), [false, true, false]);
    assert.deepEqual(allowed("both"), [true, true, false]);
    assert.deepEqual(allowed("other"), [true, true, true]);
    for (const wrong of [1, ["plugin"], {}, true]) {
      const access = [{ type: "repository", name: "a", class: wrong, actions: ["push"] }];
      assert.throws(() => parse({ access }), TokenInvalid);
    }
  });

  test("grant what they list, of each resource together, and every action with *", () => {
    const claims = parse({
      access: [
        { type: "repository", name: "a", actions: ["pull"] },
        { type: "repository", name: "a", class: "plugin", actions: ["push"] },
        { type: "registry", name: "catalog", actions: ["*"] },
      ],
    });
    assert.ok(allows(claims, "repository", "a", "pull") && allows(claims, "repository", "a", "push"));
    assert.ok(!allows(claims, "repository", "a", "delete"));
    assert.ok(!allows(claims, "repository", "A", "pull") && !allows(claims, "repository", "a/b", "pull"));
    assert.ok(!allows(claims, "registry", "a", "pull"));
    assert.ok(allows(claims, "registry", "catalog", "anything"));
    assert.ok(!allows(claims, "repository", "constructor", "pull"));
  });

  test("without a list grant nothing", () => {
    for (const access of [undefined, null, []]) assert.equal(parse({ access }).access.size, 0);
    assert.ok(!allows(parse({ access: [{ type: "repository", name: "a" }] }), "repository", "a", "pull"));
  });

  test("with a list that is none are refused", () => {
    for (const access of [
      {},
      "x",
      [1],
      [null],
      [{}],
      [{ type: "a", name: "b", actions: "pull" }],
      [{ type: "a", name: 1, actions: [] }],
      [{ type: "a", name: "b", actions: [1] }],
    ]) {
      assert.throws(() => parse({ access }), TokenInvalid, JSON.stringify(access));
    }
  });

  test("of any bytes are claims or refused by name", () => {
    const refused = (bytes: Uint8Array): void => {
      try {
        parseClaims(bytes, RULES, NOW);
      } catch (error) {
        assert.ok(error instanceof TokenInvalid);
      }
    };
    fc.assert(fc.property(fc.uint8Array(), refused));
    fc.assert(fc.property(fc.json(), (text) => refused(Buffer.from(text))));
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom("iss", "aud", "exp", "nbf", "sub", "access"), fc.jsonValue()), (more) =>
        refused(Buffer.from(JSON.stringify({ iss: "i", aud: "s", exp: SECONDS, ...more }))),
      ),
    );
  });
});
