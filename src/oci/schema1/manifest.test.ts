import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  certificateOf,
  ecSigner,
  type FixtureOptions,
  joined,
  rsaSigner,
  schema1Fields,
  signatureOf,
  signedFixture,
} from "../../../test/support/schema1-fixture.ts";
import { parseSignedManifest, type SignedManifest } from "../../../test/support/schema1-manifest.ts";
import { OBSERVED } from "../../../test/support/schema1-observed.ts";
import { builtInKinds } from "../built-in-kinds.ts";
import { digestOf } from "../digest.ts";
import { ManifestInvalid, ManifestUnverified, NameInvalid, RegistryError, TagInvalid } from "../errors.ts";
import { ManifestKinds } from "../manifest-kinds.ts";
import { MediaType } from "../media-types.ts";

type Fields = Readonly<Record<string, unknown>>;

const KINDS = new ManifestKinds(builtInKinds({ enabled: true }));
const P256 = ecSigner();
const SHA512 = `sha512:${"a".repeat(128)}`;
const TARSUM = `tarsum.v1+sha256:${"b".repeat(64)}`;

describe("a signed schema 1 manifest", () => {
  it("is its payload, its layers newest first and the digest of the payload", async () => {
    const manifest = await parseSignedManifest(OBSERVED.document);
    assert.equal(manifest.digest, OBSERVED.digest);
    assert.equal(manifest.digest, digestOf(manifest.bytes));
    assert.equal(manifest.mediaType, MediaType.dockerSchema1Signed);
    assert.deepEqual(
      manifest.layers,
      [digestOf(OBSERVED.layer), "sha256:a3ed95caeb02ffe68cdd9fd84406680ae93d633cb16422d00e8a7c22955b46d4"].map(
        (digest) => ({ mediaType: MediaType.dockerSchema1Layer, digest, size: 0 }),
      ),
    );
    assert.deepEqual(manifest.manifests, []);
    const { name, tag, architecture, history } = manifest.document;
    assert.deepEqual({ name, tag, architecture }, { name: "n/one", tag: "t", architecture: "amd64" });
    assert.match(history[1] ?? "", /"throwaway":true/);
  });

  it("may name its layers by tarsums too", async () => {
    const sums = [SHA512, TARSUM, `tarsum+sha256:${"c".repeat(64)}`];
    const manifest = await parse({
      fsLayers: sums.map((blobSum) => ({ blobSum })),
      history: sums.map(() => ({ v1Compatibility: "" })),
    });
    assert.deepEqual(manifest.document.blobSums, sums);
    assert.deepEqual(
      manifest.layers.map(({ digest }) => digest),
      sums,
    );
  });

  it("says where it belongs", async () => {
    const { name, tag } = schema1Fields() as { readonly name: string; readonly tag: string };
    assert.deepEqual((await parse({})).place, { repository: name, tag });
    assert.deepEqual((await parse({ tag: undefined })).place, { repository: name, tag: "" });
  });

  it("may leave out its tag and architecture, and say things of which nothing is known", async () => {
    const { document } = await parse({ tag: undefined, architecture: undefined, more: { Name: 1 } });
    assert.deepEqual([document.tag, document.architecture], ["", ""]);
  });

  it("may be of no layer", async () => {
    assert.deepEqual((await parse({ fsLayers: [], history: [] })).layers, []);
  });

  it("is refused without a signature, and where one does not hold", async () => {
    const { payload, document } = signedFixture(schema1Fields(), [P256]);
    await assert.rejects(parseSignedManifest(payload), ManifestInvalid);
    await assert.rejects(
      parseSignedManifest(Buffer.from(document.toString().replace("amd64", "arm64"))),
      ManifestUnverified,
    );
  });

  const layer = { blobSum: SHA512 };
  const entry = { v1Compatibility: "{}" };
  const faults: readonly (readonly [what: string, fields: Fields, error: new () => RegistryError, reason: RegExp])[] = [
    ["is of schema version 2", { schemaVersion: 2 }, ManifestInvalid, /must be the number 1, not 2/],
    ["has a schema version of text", { schemaVersion: "1" }, ManifestInvalid, /must be the number 1, not a string/],
    ["spells a key in capitals", { Name: "a" }, ManifestInvalid, /the key "Name"/],
    [
      "spells a layer's key in capitals",
      { fsLayers: [{ blobsum: SHA512 }], history: [entry] },
      ManifestInvalid,
      /the key "blobsum"/,
    ],
    [
      "spells a history's key in capitals",
      { fsLayers: [layer], history: [{ V1Compatibility: "" }] },
      ManifestInvalid,
      /"V1Compatibility"/,
    ],
    [
      "has more layers than history",
      { fsLayers: [layer, layer], history: [entry] },
      ManifestInvalid,
      /equally long, not 2 and 1/,
    ],
    [
      "has more history than layers",
      { fsLayers: [layer], history: [entry, entry] },
      ManifestInvalid,
      /equally long, not 1 and 2/,
    ],
    ["has no layers", { fsLayers: undefined }, ManifestInvalid, /fsLayers must be an array, not nothing/],
    ["has signatures within what is signed", { signatures: [] }, ManifestInvalid, /stands within what is signed/],
    ["has a schema version with a fraction", { schemaVersion: 1.5 }, ManifestInvalid, /the number 1, not 1\.5$/],
    ["has no history", { history: null }, ManifestInvalid, /history must be an array, not null/],
    [
      "has a layer that is a text",
      { fsLayers: [SHA512], history: [entry] },
      ManifestInvalid,
      /fsLayers\[0\] must be an object/,
    ],
    [
      "has a layer without a sum",
      { fsLayers: [{}], history: [entry] },
      ManifestInvalid,
      /blobSum must be a digest or a tarsum, not nothing/,
    ],
    [
      "has a layer with another sum",
      { fsLayers: [{ blobSum: "md5:00" }], history: [entry] },
      ManifestInvalid,
      /not another text/,
    ],
    [
      "has a history that is a text",
      { fsLayers: [layer], history: ["{}"] },
      ManifestInvalid,
      /history\[0\] must be an object/,
    ],
    [
      "has a history that is no text",
      { fsLayers: [layer], history: [{ v1Compatibility: {} }] },
      ManifestInvalid,
      /must be a string, not an object/,
    ],
    ["has an architecture that is no text", { architecture: 1 }, ManifestInvalid, /architecture must be a string/],
    ["has no name", { name: undefined }, NameInvalid, /name must be a string, not nothing/],
    ["has a name outside the grammar", { name: "a//b" }, NameInvalid, /expected lower-case letters/],
    ["has an empty name", { name: "" }, NameInvalid, /expected lower-case letters/],
    ["has a name of 256 characters", { name: "a".repeat(256) }, NameInvalid, /at most 255 characters, not 256/],
    ["has a tag that is no text", { tag: 1 }, ManifestInvalid, /tag must be a string/],
    ["has a tag outside the grammar", { tag: "-a" }, TagInvalid, /expected a letter/],
  ];
  for (const [what, fields, error, reason] of faults) {
    it(`is refused where it ${what}`, async () => {
      await assert.rejects(parse(fields), (thrown: unknown) => {
        assert.ok(thrown instanceof error, String(thrown));
        assert.match(String(thrown.detail), reason);
        return true;
      });
    });
  }

  it("is refused where its schema version is written as a fraction", async () => {
    const { payload } = signedFixture(schema1Fields(), [P256]);
    const written = Buffer.from(payload.toString().replace('"schemaVersion":1', '"schemaVersion":1.0'));
    const document = joined(written, [signatureOf(written, P256)]);
    await assert.rejects(parseSignedManifest(document), ManifestInvalid);
  });

  it("is verified by its signatures' bytes as they are, not as they were when it was opened", async () => {
    const { mediaType, bytes, signatures = [] } = KINDS.parse(OBSERVED.document, MediaType.dockerSchema1Signed);
    const signing = KINDS.signingOf(mediaType);
    assert.ok(signing);
    await signing.verify({ payload: bytes, signatures });
    await signing.verify({ payload: bytes, signatures: signatures.map((one) => Uint8Array.from(one)) });
    const [signature] = signatures;
    assert.ok(signature);
    const text = Buffer.from(signature).toString();
    const at = text.indexOf('"signature":"') + 20;
    signature[at] = text[at] === "A" ? 0x42 : 0x41;
    await assert.rejects(signing.verify({ payload: bytes, signatures }), ManifestUnverified);
  });

  it("has as many signatures as its size allows, whoever gives them", async () => {
    const padding = "x".repeat(3 * 1024 * 1024);
    const { document } = signedFixture(schema1Fields({ padding }), [P256, P256]);
    const { mediaType, bytes: payload, signatures = [] } = KINDS.parse(document, MediaType.dockerSchema1Signed);
    const signing = KINDS.signingOf(mediaType);
    assert.ok(signing);
    await signing.verify({ payload, signatures });
    const more = [...signatures, ...signatures];
    await assert.rejects(signing.verify({ payload, signatures: more }), ManifestInvalid);
    const printed = await signing.print({ payload, signatures: more });
    assert.equal(KINDS.parse(printed, MediaType.dockerSchema1Signed).signatures?.length, 2);
  });

  it("of the past may have a name that nobody may create any more", async () => {
    for (const name of ["Library/old", "a".repeat(255)]) assert.equal((await parse({ name })).document.name, name);
  });
});

/**
 * A byte that is changed is refused; or it stands behind the payload, and payload, keys, algorithms, protected headers and
 * signatures are what they were. On documents without certificates that is so in two places alone: white space between two
 * tokens may be another white space, and the name of the member `kid`, which a key need not have, may be another name.
 */
describe("one byte of a signed manifest", () => {
  const shapes: Readonly<Record<string, () => Buffer>> = {
    "as a peer printed it": () => OBSERVED.document,
    "on one line": () => signedFixture(schema1Fields(), [P256]).document,
    "with two signatures": () =>
      signedFixture(schema1Fields(), [ecSigner("ES384"), rsaSigner()], { indent: "  " }).document,
  };
  for (const [shape, make] of Object.entries(shapes)) {
    it(`cannot be changed anywhere with an effect: ${shape}`, async () => {
      const document = make();
      const original = await parseSignedManifest(document);
      const { length } = original.signatures[0].format;
      const names = placesOfKid(document, length);
      for (let at = 0; at < document.length; at++) {
        for (const byte of changesOf(document, at)) {
          const accepted = await isAcceptedAs(Buffer.from(document).fill(byte, at, at + 1), original);
          const isHarmless = names.has(at) || (at >= length && isWhite(byte) && isWhite(document[at]));
          assert.ok(!accepted || isHarmless, `accepted: ${byte} in the place of ${document[at]} at ${at}`);
        }
      }
    });
  }

  const chained = signedFixture(schema1Fields(), [P256], {
    header: ({ alg, publicKey }) => ({ alg, x5c: [certificateOf(publicKey), "a further certificate"] }),
  });

  for (const [shape, document] of [
    ["as a peer printed it", OBSERVED.document],
    ["with certificates", chained.document],
  ] as const) {
    it(`cannot be changed, added or taken away with an effect: ${shape}`, async () => {
      const original = await parseSignedManifest(document);
      const end = original.signatures[0].format.length;
      const place = fc.nat(document.length);
      const bytes = fc.uint8Array({ maxLength: 1 });
      await fc.assert(
        fc.asyncProperty(place, fc.nat(1), bytes, async (at, taken, added) => {
          const changed = Buffer.concat([document.subarray(0, at), added, document.subarray(at + taken)]);
          fc.pre(!changed.equals(document));
          const accepted = await isAcceptedAs(changed, original);
          if (at < end) assert.equal(accepted, false, `accepted: a change at ${at} of the payload`);
        }),
        { numRuns: 1500 },
      );
    });
  }
});

/** Of the letters of the member's name. */
function placesOfKid(document: Buffer, start: number): ReadonlySet<number> {
  const places: number[] = [];
  for (let at = document.indexOf('"kid"', start); at >= 0; at = document.indexOf('"kid"', at + 1)) {
    places.push(at + 1, at + 2, at + 3);
  }
  return new Set(places);
}

function changesOf(document: Buffer, at: number): readonly number[] {
  const byte = document[at] ?? 0;
  return [byte ^ 1, byte ^ 0x20, 0x20, 0x0a].filter((one) => one !== byte);
}

function isWhite(byte: number | undefined): boolean {
  return byte !== undefined && " \t\r\n".includes(String.fromCharCode(byte));
}

/** Whether it is taken, which it may be only where everything that is signed or signs is the same. */
async function isAcceptedAs(document: Buffer, original: SignedManifest): Promise<boolean> {
  try {
    const changed = await parseSignedManifest(document);
    assert.deepEqual(signedPart(changed), signedPart(original));
    return true;
  } catch (error) {
    if (error instanceof RegistryError) return false;
    throw error;
  }
}

function signedPart({ bytes, digest, document, signatures }: SignedManifest): object {
  const parts = signatures.map(({ key, header, format, ...jws }) => ({
    key: key.id,
    alg: header.alg,
    format,
    protected: jws.protected,
    signature: Buffer.from(jws.signature, "base64url").toString("hex"),
  }));
  return { bytes: Buffer.from(bytes), digest, document, signatures: parts };
}

async function parse(over: Fields, options?: FixtureOptions): Promise<SignedManifest> {
  return await parseSignedManifest(signedFixture(schema1Fields(over), [P256], options).document);
}
