import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  certificateOf,
  ecSigner,
  type FixtureSignature,
  fingerprintOf,
  joined,
  jwkOf,
  rsaSigner,
  type Signer,
  schema1Fields,
  signatureOf,
  signedFixture,
} from "../../../test/support/schema1-fixture.ts";
import { OBSERVED } from "../../../test/support/schema1-observed.ts";
import { ManifestInvalid } from "../errors.ts";
import { signPayload, verifySignatures } from "./jws.ts";
import { type JwsSignature, parseStoredSignature, toStoredSignature } from "./jws-signature.ts";
import { parseSignedDocument, printSignedDocument } from "./signed-document.ts";
import { makeSigningKey, parseSigningKey } from "./signing-key.ts";

const FIELDS = schema1Fields();
const [P256, P384, P521, RSA] = [ecSigner(), ecSigner("ES384"), ecSigner("ES512"), rsaSigner()];
const NOW = new Date("2015-04-16T21:17:38.987Z");
const INDENTS = [undefined, " ", "   ", "\t", "          "] as const;

describe("a signed document", () => {
  it("as a peer printed it gives its payload, whose signature holds, and is printed as it was", async () => {
    const { payload, signatures } = parseSignedDocument(OBSERVED.document);
    assert.equal(payload.length, OBSERVED.payloadLength);
    assert.equal(signatures[0].key.id, OBSERVED.keyId);
    assert.deepEqual(signatures[0].format, { length: 820, tail: "\n}" });
    await verifySignatures(payload, signatures);
    assert.equal(text(printSignedDocument(payload, signatures)), OBSERVED.document.toString());
  });

  for (const signer of [
    P256,
    P384,
    P521,
    RSA,
    { ...RSA, alg: "RS384" },
    { ...RSA, alg: "RS512" },
  ] as readonly Signer[]) {
    it(`signed with ${signer.alg} by an independent signer gives its payload and holds`, async () => {
      const fixture = signedFixture(FIELDS, [signer], { indent: "   " });
      const { payload, signatures } = parseSignedDocument(fixture.document);
      assert.deepEqual(Buffer.from(payload), fixture.payload);
      assert.equal(signatures[0].header.alg, signer.alg);
      await verifySignatures(payload, signatures);
    });
  }

  for (const indent of INDENTS) {
    it(`with an indent of ${JSON.stringify(indent)} is printed as it was read`, () => {
      const { document } = signedFixture(FIELDS, [P256], { ...(indent !== undefined && { indent }) });
      const { payload, signatures } = parseSignedDocument(document);
      assert.equal(text(printSignedDocument(payload, signatures)), document.toString());
    });
  }

  it("is printed with its signatures in the order of keys and texts, whatever order they are given in", () => {
    const signers = [P256, P256, P384, P521, RSA];
    const { payload, signatures } = parseSignedDocument(signedFixture(FIELDS, signers).document);
    const printed = printSignedDocument(payload, signatures);
    const reversed = printSignedDocument(payload, signatures.toReversed() as unknown as typeof signatures);
    assert.equal(text(printed), text(reversed));
    const order = parseSignedDocument(printed).signatures.map(({ key, signature }) => `${key.id} ${signature}`);
    assert.deepEqual(order, order.toSorted());
    assert.equal(order.length, 5);
  });

  it("is verified by a certificate's key where there is one, with or without a jwk beside", async () => {
    for (const [signer, further] of [
      [P256, {}],
      [RSA, {}],
      [P384, { jwk: jwkOf(P384.publicKey) }],
    ] as const) {
      const header = ({ alg }: Signer): FixtureSignature["header"] => ({
        ...further,
        alg,
        x5c: [certificateOf(signer.publicKey), "of an issuer, which nobody reads"],
      });
      const { document } = signedFixture(FIELDS, [signer], { indent: "  ", header });
      const { payload, signatures } = parseSignedDocument(document);
      assert.equal(signatures[0].key.id, fingerprintOf(signer.publicKey));
      await verifySignatures(payload, signatures);
      assert.deepEqual(parseSignedDocument(printSignedDocument(payload, signatures)), { payload, signatures });
    }
  });

  it("may be written with line breaks and blanks in its base64, as far as they are not signed", async () => {
    const { payload, signatures } = signedFixture(FIELDS, [P256], { protected: { formatTail: "f Q\n" } });
    const [first] = signatures;
    assert.ok(first);
    const wrapped = { ...first, signature: first.signature.replace(/.{20}/g, "$& \r\n") };
    const read = parseSignedDocument(joined(payload, [wrapped]));
    await verifySignatures(read.payload, read.signatures);
  });

  it("signed here is what the specification says, with the time in whole seconds", async () => {
    const payload = Buffer.from(JSON.stringify(FIELDS, null, 3));
    const key = makeSigningKey();
    const document = printSignedDocument(payload, [await signPayload(payload, key, NOW)]);
    const [signature] = JSON.parse(text(document)).signatures as FixtureSignature[];
    assert.ok(signature);
    assert.deepEqual(signature.header, { jwk: key.publicKey.jwk, alg: "ES256" });
    const header = Buffer.from(signature.protected, "base64url").toString();
    assert.equal(header, `{"formatLength":${payload.length - 2},"formatTail":"Cn0","time":"2015-04-16T21:17:38Z"}`);
    assert.deepEqual(Object.keys(signature), ["header", "signature", "protected"]);
  });

  it("signed here with any key holds, for any payload and indent", async () => {
    const keys = [P256, P384, P521, RSA].map(({ privateKey }) =>
      parseSigningKey(String(privateKey.export({ format: "pem", type: "pkcs8" }))),
    );
    const members = fc.dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue(), { minKeys: 1 });
    await fc.assert(
      fc.asyncProperty(members, fc.constantFrom(...INDENTS), fc.constantFrom(...keys), async (value, indent, key) => {
        fc.pre(!Object.hasOwn(value, "signatures"));
        const payload = Buffer.from(JSON.stringify(value, null, indent));
        const document = printSignedDocument(payload, [await signPayload(payload, key, NOW)]);
        const read = parseSignedDocument(document);
        assert.deepEqual(Buffer.from(read.payload), payload);
        await verifySignatures(read.payload, read.signatures);
        const { signatures: _, ...shown } = JSON.parse(text(document));
        assert.deepEqual(shown, JSON.parse(payload.toString()));
      }),
      { numRuns: 200 },
    );
  });

  it("signed here may be of any length", async () => {
    const key = makeSigningKey();
    for (let length = 0; length < 300; length++) {
      const payload = Buffer.from(JSON.stringify({ a: "x".repeat(length) }));
      assert.equal((await signPayload(payload, key, NOW)).format.length, payload.length - 1);
    }
  });

  it("keeps white space behind the payload's brace in its payload", async () => {
    const payload = Buffer.from(`${JSON.stringify(FIELDS, null, 3)}\n \n`);
    const document = printSignedDocument(payload, [await signPayload(payload, makeSigningKey(), NOW)]);
    assert.deepEqual(Buffer.from(parseSignedDocument(document).payload), payload);
  });
});

describe("a signature that is stored on its own", () => {
  it("comes back as it was, in the peers' spelling", () => {
    const { signatures } = parseSignedDocument(OBSERVED.document);
    const stored = toStoredSignature(signatures[0]);
    assert.match(
      text(stored),
      /^\{"header":\{"jwk":\{"crv":"P-256","kid":"[^{}]*\},"alg":"ES256"\},"signature":"[\w-]{86}","protected":"[\w-]+"\}$/,
    );
    assert.deepEqual(parseStoredSignature(stored), signatures[0]);
  });

  it("has one spelling, whatever the order of its members", () => {
    const { signatures } = parseSignedDocument(OBSERVED.document);
    const { header, signature, protected: signed } = JSON.parse(text(toStoredSignature(signatures[0])));
    const jwk = Object.fromEntries(Object.entries(header.jwk).reverse());
    const other = JSON.stringify({ protected: signed, signature, header: { alg: header.alg, jwk } }, null, 4);
    assert.deepEqual(toStoredSignature(parseStoredSignature(Buffer.from(other))), toStoredSignature(signatures[0]));
  });

  it("is refused where it is not JSON, or not whole", () => {
    for (const stored of ["", "{", "null", "{}", '{"header":{},"signature":"","protected":""}']) {
      assert.throws(() => parseStoredSignature(Buffer.from(stored)), ManifestInvalid);
    }
  });

  it("is printed with the others of its payload, and refused with another payload", () => {
    const fixture = signedFixture(FIELDS, [P256, P384]);
    const stored = fixture.signatures.map((one) => parseStoredSignature(Buffer.from(JSON.stringify(one))));
    const [first, second] = stored as [JwsSignature, JwsSignature];
    const printed = printSignedDocument(fixture.payload, [first, second]);
    assert.equal(parseSignedDocument(printed).signatures.length, 2);
    const longer = Buffer.from(JSON.stringify({ ...FIELDS, more: 1 }));
    assert.throws(() => printSignedDocument(longer, [first, second]), refusal(/those of another payload/));
    const other = parseStoredSignature(Buffer.from(JSON.stringify(signatureOf(longer, P256))));
    assert.throws(() => printSignedDocument(fixture.payload, [first, other]), refusal(/conflicting format length/));
  });
});

function refusal(reason: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof ManifestInvalid, String(error));
    assert.match(String(error.detail), reason);
    return true;
  };
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}
