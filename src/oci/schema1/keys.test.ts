import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  certificateOf,
  ecSigner,
  fingerprintOf,
  jwkOf,
  rsaSigner,
  type Signer,
} from "../../../test/support/schema1-fixture.ts";
import { KeyInvalid } from "./jwk-members.ts";
import { parseCertificateKey, parsePublicJwk } from "./public-key.ts";
import { makeSigningKey, parseSigningKey } from "./signing-key.ts";

/** @see manifests, section 6: observed on 2.8.2 */
const VECTOR = {
  kty: "EC",
  crv: "P-256",
  x: "fMFrkmQSeB4Bj9ueb5zK47kItTEZjM2EVQ4yjvBsxBE",
  y: "uyLaJzuVNWGZ0KBFdQoKSvq_xSLrmE5zHXi5Cl0twrM",
};
const VECTOR_ID = "2XWQ:TIXD:WBJM:KFIX:PE2N:SMS4:R7O7:ZHPP:ESG4:TWPN:N2LE:S266";

const SIGNERS: readonly Signer[] = [ecSigner(), ecSigner("ES384"), ecSigner("ES512"), rsaSigner()];
const [P256, P384] = [ecSigner(), ecSigner("ES384")];
const RSA = rsaSigner("RS256", 3072);

describe("a public key", () => {
  it("has the fingerprint that was observed", () => {
    assert.equal(parsePublicJwk(VECTOR).id, VECTOR_ID);
  });

  it("of each kind has the fingerprint that its definition gives, and is written with members in alphabetical order", () => {
    for (const { publicKey, alg } of SIGNERS) {
      const { id, jwk, algorithms } = parsePublicJwk(publicKey.export({ format: "jwk" }));
      assert.equal(id, fingerprintOf(publicKey));
      assert.equal(JSON.stringify(jwk), JSON.stringify(jwkOf(publicKey)));
      assert.equal(algorithms[0], alg);
    }
  });

  it("has a fingerprint of twelve groups, whatever its bits", () => {
    fc.assert(
      fc.property(
        fc.constant(null).map(() => ecSigner()),
        ({ publicKey }) => {
          assert.equal(parsePublicJwk(publicKey.export({ format: "jwk" })).id, fingerprintOf(publicKey));
        },
      ),
      { numRuns: 50 },
    );
  });

  it("keeps what else is said of it, in its place, unless it is nested", () => {
    const further = { zone: "z", alg: 1, hosts: ["a", "b"], ext: true, none: null, deep: { a: 1 }, mixed: ["a", 1] };
    const { deep: _, mixed: __, ...kept } = further;
    const { jwk } = parsePublicJwk({ ...VECTOR, ...further });
    assert.deepEqual(jwk, { ...VECTOR, ...kept, kid: VECTOR_ID });
    assert.deepEqual(Object.keys(jwk), Object.keys(jwk).toSorted());
  });

  it("is read from a certificate", () => {
    for (const { publicKey } of SIGNERS) {
      assert.equal(parseCertificateKey(certificateOf(publicKey)).id, fingerprintOf(publicKey));
    }
  });

  const short = Buffer.from(VECTOR.x, "base64url").subarray(1).toString("base64url");
  const ed25519 = generateKeyPairSync("ed25519");
  const faults: readonly (readonly [what: string, jwk: unknown, reason: RegExp])[] = [
    ["is no object", "key", /must be a JSON object, not a string/],
    ["has a type that signs nothing here", ed25519.publicKey.export({ format: "jwk" }), /type EC or RSA/],
    ["is a secret", { kty: "oct", k: "AAAA" }, /private member k/],
    ["lies about its kid", { ...VECTOR, kid: VECTOR_ID.replace("2", "3") }, /not its fingerprint/],
    ["has a kid that is no text", { ...VECTOR, kid: null }, /not its fingerprint/],
    ["is on a curve of another name", { ...VECTOR, crv: "secp256k1" }, /P-256, P-384, P-521/],
    ["names a curve of another width", { ...VECTOR, crv: "P-384" }, /x must have 48 bytes on this curve, not 32/],
    [
      "has a coordinate without its leading zeros",
      { ...VECTOR, x: short },
      /x must have 32 bytes on this curve, not 31/,
    ],
    ["has a coordinate with a zero more", { ...VECTOR, y: `AA${VECTOR.y}` }, /y (must have 32|of a key must be)/],
    ["has no y", { ...VECTOR, y: undefined }, /y of a key must be in base64url/],
    ["is not in base64url", { ...VECTOR, x: VECTOR.x.replace("f", "+") }, /x of a key must be in base64url/],
    ["is a point off the curve", { ...VECTOR, x: VECTOR.y, y: VECTOR.x }, /make no key/],
    ["has too few bits", rsaSigner("RS256", 1024).publicKey.export({ format: "jwk" }), /2048 to 16384 bits, not 1024/],
    [
      "has too many bits",
      { kty: "RSA", e: "AQAB", n: "_".repeat(3000) },
      /n of an RSA key may have 2048 bytes, not 2250/,
    ],
    [
      "has an exponent of nine bytes",
      { kty: "RSA", e: Buffer.alloc(9, 255).toString("base64url"), n: "AQAB" },
      /e of an RSA key may have 8 bytes, not 9/,
    ],
    ["has no modulus", { kty: "RSA", e: "AQAB", n: "" }, /n of a key must be in base64url/],
    ...["d", "p", "q", "dp", "dq", "qi", "oth", "k"].map(
      (member) =>
        [`has the private member ${member}`, { ...VECTOR, [member]: "AAAA" }, /has the private member/] as const,
    ),
  ];
  for (const [what, jwk, reason] of faults) {
    it(`is refused where it ${what}`, () => {
      assert.throws(() => parsePublicJwk(jwk), isKeyInvalid(reason));
    });
  }

  it("is refused where a certificate has none that can be used", () => {
    for (const text of [
      "",
      "AAAA",
      "not base64",
      certificateOf(ed25519.publicKey),
      certificateOf(rsaSigner("RS256", 1024).publicKey),
    ]) {
      assert.throws(() => parseCertificateKey(text), KeyInvalid);
    }
  });
});

describe("a signing key", () => {
  it("is made new each time, on P-256", () => {
    const [first, second] = [makeSigningKey(), makeSigningKey()];
    assert.notEqual(first.publicKey.id, second.publicKey.id);
    assert.deepEqual(first.publicKey.algorithms, ["ES256"]);
    assert.equal(Object.hasOwn(first.publicKey.jwk, "d"), false);
  });

  it("of each kind is read from a JWK, and tells nothing of its private members", () => {
    for (const { privateKey, publicKey } of SIGNERS) {
      const jwk = { ...privateKey.export({ format: "jwk" }), kid: fingerprintOf(publicKey) };
      const key = parseSigningKey(` \n${JSON.stringify(jwk)}\n`);
      assert.equal(JSON.stringify(key.publicKey.jwk), JSON.stringify(jwkOf(publicKey)));
    }
  });

  const forms: readonly (readonly [name: string, text: string, key: KeyObject])[] = [
    ["EC PRIVATE KEY", pem(P256, "sec1"), P256.publicKey],
    ["PRIVATE KEY of a curve", pem(P384, "pkcs8"), P384.publicKey],
    ["RSA PRIVATE KEY", pem(RSA, "pkcs1"), RSA.publicKey],
    ["PRIVATE KEY of RSA", pem(RSA, "pkcs8"), RSA.publicKey],
    [
      "EC PRIVATE KEY behind EC PARAMETERS",
      `-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${pem(P256, "sec1")}`,
      P256.publicKey,
    ],
    ["EC PRIVATE KEY with the line ends of Windows", pem(P256, "sec1").replaceAll("\n", "\r\n"), P256.publicKey],
  ];
  for (const [name, text, publicKey] of forms) {
    it(`is read from PEM: ${name}`, () => {
      assert.equal(JSON.stringify(parseSigningKey(text).publicKey.jwk), JSON.stringify(jwkOf(publicKey)));
    });
  }

  it("takes the headers of PEM for members, hosts for a list", () => {
    const text = withHeaders("hosts: a.example,b.example", "note: x: y", `kid: ${fingerprintOf(P256.publicKey)}`);
    const { hosts, note } = parseSigningKey(text).publicKey.jwk;
    assert.deepEqual({ hosts, note }, { hosts: ["a.example", "b.example"], note: "x: y" });
  });

  const jwk = P256.privateKey.export({ format: "jwk" });
  const faults: readonly (readonly [what: string, text: string, reason: RegExp])[] = [
    ["is empty", "", /must be a JWK, or PEM/],
    ["is cut off", pem(P256, "sec1").slice(0, 100), /must be a JWK, or PEM/],
    ["is broken JSON", `{"d": "${jwk["d"]}`, /must be a JSON object$/],
    ["is a public JWK", JSON.stringify(jwkOf(P256.publicKey)), /it is a public key/],
    ["is a public key in PEM", String(P256.publicKey.export({ format: "pem", type: "spki" })), /must be a JWK, or PEM/],
    ["lies about its kid", JSON.stringify({ ...jwk, kid: VECTOR_ID }), /not its fingerprint/],
    ["lies about its kid in a header", withHeaders(`kid: ${VECTOR_ID}`), /not its fingerprint/],
    ["has a d of another width", JSON.stringify({ ...jwk, d: "AAAA" }), /d must have 32 bytes on this curve, not 3/],
    ["has an x of another width", JSON.stringify({ ...jwk, x: "AAAA" }), /x must have 32 bytes on this curve, not 3/],
    [
      "has halves of two keys",
      JSON.stringify({ ...jwk, ...ecSigner().publicKey.export({ format: "jwk" }) }),
      /belong together|make no key/,
    ],
    [
      "has the private half of RSA cut short",
      JSON.stringify({ ...RSA.privateKey.export({ format: "jwk" }), qi: undefined }),
      /qi of a key/,
    ],
    ["is RSA of 1024 bits", pem(rsaSigner("RS256", 1024), "pkcs1"), /2048 to 16384 bits, not 1024/],
    [
      "is on a curve of another name",
      pem(generateKeyPairSync("ec", { namedCurve: "secp256k1" }), "pkcs8"),
      /P-256, P-384, P-521/,
    ],
    ["is of Ed25519", pem(generateKeyPairSync("ed25519"), "pkcs8"), /type EC or RSA/],
    ["is encrypted as of old", withHeaders("Proc-Type: 4,ENCRYPTED", "DEK-Info: AES-128-CBC,00"), /encrypted/],
    [
      "is encrypted",
      String(P256.privateKey.export({ format: "pem", type: "pkcs8", cipher: "aes-128-cbc", passphrase: "a" })),
      /is encrypted: expected one that is not$/,
    ],
    ["holds something else", pem(P256, "sec1").replace("\nM", "\nN"), /no readable EC PRIVATE KEY/],
  ];
  for (const [what, text, reason] of faults)
    it(`is refused where it ${what}, in a sentence without a part of it`, () => {
      assert.throws(
        () => parseSigningKey(text),
        (error: unknown) => isKeyInvalid(reason)(error) && !String((error as Error).stack).includes(String(jwk["d"])),
      );
    });
});

function pem({ privateKey }: { readonly privateKey: KeyObject }, type: "sec1" | "pkcs1" | "pkcs8"): string {
  return String(privateKey.export({ format: "pem", type: type as "pkcs8" }));
}

function withHeaders(...headers: readonly string[]): string {
  return pem(P256, "sec1").replace("-----\n", `-----\n${headers.join("\n")}\n\n`);
}

function isKeyInvalid(reason: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof KeyInvalid, String(error));
    assert.match(error.message, reason);
    return true;
  };
}
