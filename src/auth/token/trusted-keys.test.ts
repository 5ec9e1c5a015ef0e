import assert from "node:assert/strict";
import { createSecretKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { describe, test } from "node:test";
import { issue, P256 } from "../../../test/support/certificates.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { publicJwk } from "../../../test/support/tokens.ts";
import { algorithmsOf } from "./algorithms.ts";
import { joined, parseBundle, parseKeySet } from "./trusted-keys.ts";

const ec = (namedCurve: string): KeyObject => generateKeyPairSync("ec", { namedCurve }).publicKey;
const rsa = (modulusLength: number): KeyObject => generateKeyPairSync("rsa", { modulusLength }).publicKey;
const setOf = (...keys: readonly unknown[]): string => JSON.stringify({ keys });

describe("a key", () => {
  test("signs with the algorithms of its own kind alone", () => {
    assert.deepEqual(algorithmsOf(ec("P-256")), ["ES256"]);
    assert.deepEqual(algorithmsOf(ec("P-384")), ["ES384"]);
    assert.deepEqual(algorithmsOf(ec("P-521")), ["ES512"]);
    assert.deepEqual(algorithmsOf(rsa(2048)), ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]);
    assert.deepEqual(algorithmsOf(generateKeyPairSync("ed25519").publicKey), ["EdDSA"]);
    assert.deepEqual(algorithmsOf(createSecretKey(Buffer.alloc(32))), ["HS256", "HS384", "HS512"]);
    for (const key of [
      ec("secp256k1"),
      rsa(1024),
      generateKeyPairSync("x25519").publicKey,
      createSecretKey(Buffer.alloc(31)),
    ]) {
      assert.deepEqual(algorithmsOf(key), []);
    }
  });
});

describe("a bundle of certificates", () => {
  test("gives roots and their keys, whatever else stands in it", async () => {
    await using folder = await temporaryFolder("bundle");
    const [one, two] = [await issue(folder, "one"), await issue(folder, "two", { newKey: ["rsa:2048"] })];
    const weak = await issue(folder, "weak", { newKey: ["rsa:1024"] });
    const other = await issue(folder, "other", { newKey: P256 });
    const privateKey = other.key.export({ format: "pem", type: "pkcs8" });
    const { roots, byId } = parseBundle(`about one\n${one.pem}${privateKey}\n${two.pem}${weak.pem}`);
    assert.equal(roots.length, 3);
    assert.equal(new Set(byId.values()).size, 2);
    assert.equal(byId.size, 4);
  });

  test("without a certificate, or with one that is none, is refused", () => {
    assert.throws(() => parseBundle(""), /at least one token signing root certificate/);
    const bad = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----";
    assert.throws(() => parseBundle(bad), /certificate 1 of the bundle cannot be read/);
  });
});

describe("a JWK Set", () => {
  test("names its keys, and those without a name are known by what they are", () => {
    const [named, nameless] = [ec("P-256"), ec("P-384")];
    const { byId, roots } = parseKeySet(setOf(publicJwk(named, { kid: "k" }), publicJwk(nameless)), true);
    assert.ok(byId.get("k")?.key.equals(named));
    assert.equal(new Set(byId.values()).size, 2);
    assert.deepEqual(roots, []);
  });

  test("passes over what signs no tokens", () => {
    const good = publicJwk(ec("P-256"), { kid: "good" });
    const { byId } = parseKeySet(
      setOf(
        publicJwk(ec("P-256"), { kid: "encrypts", use: "enc" }),
        publicJwk(ec("P-256"), { kid: "wraps", key_ops: ["wrapKey"] }),
        publicJwk(rsa(1024), { kid: "weak" }),
        publicJwk(ec("P-256"), { kid: "wrong", alg: "RS256" }),
        { kty: "EC", kid: "broken", crv: "P-256", x: "AA", y: "AA" },
        { kty: "constructor", kid: "odd" },
        ...[null, 1, "x"],
        good,
      ),
      true,
    );
    for (const kid of ["encrypts", "wraps", "weak", "wrong", "broken", "odd"])
      assert.equal(byId.get(kid), undefined, kid);
    assert.ok(byId.has("good"));
  });

  test("narrows a key to the algorithm that it names", () => {
    const { byId } = parseKeySet(
      setOf(publicJwk(rsa(2048), { kid: "k", alg: "PS256", use: "sig", key_ops: ["verify"] })),
      true,
    );
    assert.deepEqual(byId.get("k")?.algorithms, ["PS256"]);
  });

  test("has secrets only where nobody else reads it, and they have no name but their own", () => {
    const secret = { kty: "oct", kid: "s", k: Buffer.alloc(32, 1).toString("base64url") };
    const { byId } = parseKeySet(setOf(secret), true);
    assert.deepEqual([...byId.keys()], ["s"]);
    assert.throws(() => parseKeySet(setOf(secret), false), /no key that can verify/);
    assert.throws(() => parseKeySet(setOf({ ...secret, k: "AAAA" }), true), /no key that can verify/);
  });

  test("that is none is refused and not quoted", () => {
    for (const text of ["", "secret", "[]", "{}", '{"keys":{}}', "null", '{"keys":[]}', setOf({ kty: "EC" })]) {
      assert.throws(
        () => parseKeySet(text, true),
        (error: Error) => /JWK Set/.test(error.message) && !error.message.includes("secret"),
      );
    }
    assert.throws(() => parseKeySet(setOf(...Array.from({ length: 1001 }, () => ({}))), true), /up to 1000/);
  });
});

test("keys of several places are trusted together", () => {
  const parts = [ec("P-256"), ec("P-384")].map((key, index) =>
    parseKeySet(setOf(publicJwk(key, { kid: `${index}` })), true),
  );
  const { byId } = joined(...parts);
  assert.ok(byId.has("0") && byId.has("1"));
});
