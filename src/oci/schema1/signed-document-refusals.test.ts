import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  certificateOf,
  ecSigner,
  type FixtureOptions,
  type FixtureSignature,
  joined,
  jwkOf,
  rsaSigner,
  schema1Fields,
  signatureOf,
  signedFixture,
} from "../../../test/support/schema1-fixture.ts";
import { OBSERVED } from "../../../test/support/schema1-observed.ts";
import { ManifestInvalid, ManifestUnverified } from "../errors.ts";
import { signPayload, verifySignatures } from "./jws.ts";
import { parseSignedDocument } from "./signed-document.ts";
import { makeSigningKey } from "./signing-key.ts";

const FIELDS = schema1Fields();
const [P256, P384, RSA] = [ecSigner(), ecSigner("ES384"), rsaSigner()];
const NOW = new Date("2015-04-16T21:17:38Z");

describe("a document that is refused", () => {
  const good = signedFixture(FIELDS, [P256]);
  const [signature] = good.signatures as [FixtureSignature];
  const withProtected = (over: Readonly<Record<string, unknown>>): Buffer =>
    signedFixture(FIELDS, [P256], { protected: over }).document;
  const withSignature = (over: Readonly<Record<string, unknown>>): Buffer =>
    joined(good.payload, [{ ...signature, ...over }]);
  const withHeader = (header: unknown): Buffer => withSignature({ header });

  const { length } = good.payload;
  const other = signatureOf(good.payload, P384, { protected: { formatLength: length - 2 } });
  const tail = signatureOf(good.payload, P384, { protected: { formatTail: b64("\n}") } });
  const big = Buffer.from(JSON.stringify({ ...FIELDS, padding: "x".repeat(1024 * 1024) }));
  const ofBig = signatureOf(big, P256);
  const unsigned = good.document.toString().replace(',"signatures"', ',"added":1,"signatures"');
  const invalid: readonly (readonly [what: string, document: Buffer, reason: RegExp])[] = [
    ["has no signatures", good.payload, /^missing signature key/],
    ["has signatures of null", joined(good.payload, null), /must be an array, not null/],
    ["has an object for signatures", joined(good.payload, {}), /must be an array, not an object/],
    ["has an empty list of signatures", joined(good.payload, []), /must not be empty/],
    ["has 33 signatures", joined(good.payload, Array(33).fill(signature)), /at most 32 signatures, not 33/],
    ["has 9 signatures of a MiB each", joined(big, Array(9).fill(ofBig)), /at most 7 signatures, not 9/],
    ["has a signature that is no object", joined(good.payload, ["a"]), /signatures\[0\] must be an object/],
    ["has a signature without a header", withHeader(undefined), /header must be an object, not nothing/],
    ["has a signature without protected", withSignature({ protected: null }), /protected must be a string, not null/],
    ["has a signature without its bytes", withSignature({ signature: 1 }), /signature must be a string, not a number/],
    ["has a signature outside base64url", withSignature({ signature: "a+b/" }), /signature must be in base64url/],
    [
      "spells a key of a signature in capitals",
      joined(good.payload, [{ ...signature, Protected: "" }]),
      /the key "Protected"/,
    ],
    ["spells a key of a header in capitals", withHeader({ ...signature.header, JWK: {} }), /the key "JWK"/],
    [
      "has a protected header that is not JSON",
      withSignature({ protected: b64("{") }),
      /must be a JSON object in base64url/,
    ],
    [
      "has a protected header that is no object",
      withSignature({ protected: b64("[]") }),
      /must be a JSON object in base64url/,
    ],
    [
      "has a protected header with padding",
      withSignature({ protected: `${b64("{} ")}=` }),
      /must be a JSON object in base64url/,
    ],
    [
      "demands an extension that nobody knows",
      withProtected({ crit: ["exp"], exp: 1 }),
      /demands an extension by crit/,
    ],
    [
      "says that its payload is not encoded",
      withProtected({ crit: ["b64"], b64: false }),
      /demands an extension by crit/,
    ],
    ["has no format length", withProtected({ formatLength: undefined }), /^invalid format length/],
    ["has a format length that is a text", withProtected({ formatLength: "1" }), /^invalid format length/],
    ["has a negative format length", withProtected({ formatLength: -1 }), /^invalid format length/],
    ["has a broken format length", withProtected({ formatLength: 1.5 }), /^invalid format length/],
    [
      "has a format length beyond the document",
      withProtected({ formatLength: 1e6 }),
      /^invalid format length: it is longer/,
    ],
    [
      "has a format length of nothing",
      withProtected({ formatLength: 0 }),
      /^invalid format length: expected nothing but/,
    ],
    [
      "has a format length before the last member",
      withProtected({ formatLength: 18 }),
      /^invalid format length: expected nothing but/,
    ],
    ["has no format tail", withProtected({ formatTail: null }), /^invalid format tail/],
    ["has an empty format tail", withProtected({ formatTail: "" }), /^invalid format tail/],
    ["has a format tail outside base64url", withProtected({ formatTail: "f=" }), /^invalid format tail/],
    ["hides a member in the format tail", withProtected({ formatTail: b64(',"name":"b"}') }), /^invalid format tail/],
    [
      "has signatures that cut it at two places",
      joined(good.payload, [signature, other]),
      /^conflicting format length/,
    ],
    ["has signatures that end it in two ways", joined(good.payload, [signature, tail]), /^conflicting format tail/],
    ["shows a member that is not signed", Buffer.from(unsigned), /^invalid format length: expected nothing but/],
    ["is not JSON", Buffer.from(good.document.subarray(1)), /JSON/],
    ["is cut off", good.document.subarray(0, -1), /JSON/],
    ["is an array", Buffer.from("[]"), /must be a JSON object, not an array/],
    ["is not UTF-8", Buffer.concat([good.document.subarray(0, -1), Buffer.from([0xff, 0x7d])]), /UTF-8/],
  ];
  for (const [what, document, reason] of invalid) {
    it(`${what}`, () => {
      assert.throws(() => parseSignedDocument(document), refusal(reason));
    });
  }

  const jwk = jwkOf(P256.publicKey);
  const secret = P256.privateKey.export({ format: "jwk" });
  const small = rsaSigner("RS256", 1024);
  const hs: FixtureOptions["header"] = () => ({ jwk: { kty: "oct", k: "AAAA" }, alg: "HS256" });
  const unverified: readonly (readonly [what: string, document: Buffer, reason: RegExp])[] = [
    ["has no key", withHeader({ alg: "ES256" }), /neither a jwk nor an x5c/],
    ["has a key of null", withHeader({ alg: "ES256", jwk: null, x5c: null }), /neither a jwk nor an x5c/],
    ["has an empty chain", withHeader({ ...signature.header, x5c: [] }), /x5c must be an array of certificates/],
    ["has a chain of numbers", withHeader({ ...signature.header, x5c: [1] }), /x5c must be an array of certificates/],
    [
      "has a chain of something else",
      withHeader({ ...signature.header, x5c: ["AAAA"] }),
      /certificate of x5c cannot be read/,
    ],
    [
      "has a jwk beside another's chain",
      withHeader({ ...signature.header, x5c: [certificateOf(P384.publicKey)] }),
      /name two keys/,
    ],
    ["has no algorithm", withHeader({ jwk }), /alg must be ES256 with this key, not nothing/],
    ["has the algorithm none", withHeader({ jwk, alg: "none" }), /alg must be ES256 with this key, not none/],
    ["has a shared secret for a key", signedFixture(FIELDS, [P256], { header: hs }).document, /private member k/],
    ["takes a public key for a shared secret", withHeader({ jwk, alg: "HS256" }), /not HS256/],
    ["has the algorithm of another curve", withHeader({ jwk, alg: "ES384" }), /not ES384/],
    ["has RSA's algorithm with a curve's key", withHeader({ jwk, alg: "RS256" }), /not RS256/],
    ["has another padding of RSA", withHeader({ jwk: jwkOf(RSA.publicKey), alg: "PS256" }), /RS256 or RS384 or RS512/],
    [
      "gives its private key away",
      withHeader({ jwk: { ...secret, kid: jwk["kid"] }, alg: "ES256" }),
      /private member d/,
    ],
    [
      "lies about its key's kid",
      withHeader({ jwk: { ...jwk, kid: OBSERVED.keyId }, alg: "ES256" }),
      /not its fingerprint/,
    ],
    ["is signed by RSA of 1024 bits", signedFixture(FIELDS, [small]).document, /2048 to 16384 bits, not 1024/],
    [
      "has a signature of another width",
      withSignature({ signature: "AAAA" }),
      /must have 64 bytes with this key, not 3/,
    ],
  ];
  for (const [what, document, reason] of unverified) {
    it(`${what}, as one that is not verified`, () => {
      assert.throws(
        () => parseSignedDocument(document),
        (error: unknown) => {
          assert.ok(error instanceof ManifestUnverified, String(error));
          assert.match(String(error.detail), reason);
          return true;
        },
      );
    });
  }

  const forged: readonly (readonly [what: string, document: Buffer])[] = [
    ["says something else than was signed", Buffer.from(good.document.toString().replace("amd64", "arm64"))],
    [
      "has the signature of another payload",
      joined(good.payload, [signatureOf(Buffer.from(JSON.stringify(schema1Fields({ tag: "v2" }))), P256)]),
    ],
    ["has the signature of another key", withHeader({ jwk: jwkOf(ecSigner().publicKey), alg: "ES256" })],
    [
      "has another time in its protected header",
      withSignature({
        protected: b64(`{"formatLength":${length - 1},"formatTail":"fQ","time":"2016-04-16T21:17:38Z"}`),
      }),
    ],
    [
      "has a second signature that does not hold",
      joined(good.payload, [signature, { ...signature, signature: "A".repeat(86) }]),
    ],
    ["has r and s of nothing", withSignature({ signature: "A".repeat(86) })],
    ["states an algorithm in its protected header too", withProtected({ alg: "ES256" })],
    ["wraps a protected header that was signed unwrapped", withSignature({ protected: `${signature.protected} ` })],
  ];
  for (const [what, document] of forged) {
    it(`${what}, once its signatures are verified`, async () => {
      const { payload, signatures } = parseSignedDocument(document);
      await assert.rejects(verifySignatures(payload, signatures), ManifestUnverified);
    });
  }

  it("cannot be made: a payload to sign must be an object with a member", async () => {
    for (const payload of ["", "{}", "{\n}", "[1]", '{"a":1', '{"a":1,}', "}", "null", " "]) {
      await assert.rejects(
        signPayload(Buffer.from(payload), makeSigningKey(), NOW),
        refusal(/must be a JSON object with a member/),
      );
    }
  });
});

function refusal(reason: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof ManifestInvalid, String(error));
    assert.match(String(error.detail), reason);
    return true;
  };
}

function b64(content: string): string {
  return Buffer.from(content).toString("base64url");
}
