import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SEALED, sealedKind, toSealed } from "../../test/support/signed-kind.ts";
import { builtInKinds } from "./built-in-kinds.ts";
import { ManifestInvalid } from "./errors.ts";
import type { ManifestContents, ManifestKind } from "./manifest-kind.ts";
import { ManifestKinds } from "./manifest-kinds.ts";
import { MediaType } from "./media-types.ts";

const TYPE = "application/vnd.example.own.v1+json";
const STATED = { schemaVersion: 2, mediaType: TYPE };
const EMPTY: ManifestContents = { layers: [], manifests: [] };

describe("a kind of one's own", () => {
  it("is asked with what it may refuse, and whether a client pushes or the storage has it", () => {
    const told: unknown[] = [];
    const kinds = withOwn({ mediaTypes: [TYPE], parse: (...what) => noted(told, what) });
    const bytes = toBytes(STATED);
    assert.equal(kinds.parse(bytes, TYPE).mediaType, TYPE);
    assert.equal(kinds.read(bytes).mediaType, TYPE);
    const [pushed, stored] = told as Parameters<ManifestKind["parse"]>[];
    assert.deepEqual([pushed?.[3], stored?.[3]], ["pushed", "stored"]);
    assert.throws(() => pushed?.[2]("a fault"), ManifestInvalid);
    assert.equal(stored?.[2]("a fault"), undefined);
  });

  it("gets the numbers of a document as they are", () => {
    const found: unknown[] = [];
    const kinds = withOwn({ mediaTypes: [TYPE], parse: ({ weight }) => noted(found, weight) });
    kinds.parse(Buffer.from(JSON.stringify(STATED).replace("{", '{"weight":1.5,')), TYPE);
    kinds.parse(Buffer.from(JSON.stringify(STATED).replace("{", '{"weight":2.0,')), TYPE);
    assert.deepEqual(found, [1.5, 2]);
  });

  it("must be stated by its documents, once they are stored nothing else tells it", () => {
    const kinds = withOwn({ mediaTypes: [TYPE], parse: () => EMPTY });
    const other = { ...STATED, mediaType: MediaType.ociManifest };
    for (const document of [{ schemaVersion: 2 }, other, { mediaType: TYPE }, { ...STATED, schemaVersion: 1 }]) {
      assert.throws(() => kinds.parse(toBytes(document), TYPE), ManifestInvalid, JSON.stringify(document));
    }
  });

  it("may recognise documents that do not state it", () => {
    const kinds = withOwn({ mediaTypes: [TYPE], parse: () => EMPTY, recognises: ({ own }) => own === true });
    const bytes = toBytes({ schemaVersion: 7, own: true });
    for (const type of [TYPE, undefined, "application/json"]) assert.equal(kinds.parse(bytes, type).mediaType, TYPE);
    assert.equal(kinds.read(bytes).mediaType, TYPE);
    assert.throws(() => kinds.parse(toBytes(STATED), TYPE), fault(/would be taken for another kind than/));
    assert.equal(
      kinds.mediaTypeOf(toBytes(STATED)),
      MediaType.ociManifest,
      "what it does not recognise is not its own",
    );
  });

  it("that is not taken is refused with its reason before a byte is looked at, and is read", () => {
    const kinds = withOwn({ mediaTypes: [TYPE], parse: () => EMPTY, refusal: "not any more" });
    assert.throws(() => kinds.parse(Buffer.of(0xff), TYPE), fault(/^not any more$/));
    assert.throws(() => kinds.parse(toBytes(STATED), undefined), fault(/^not any more$/));
    assert.equal(kinds.read(toBytes(STATED)).mediaType, TYPE);
    assert.throws(
      () => kinds.parse(toBytes(STATED), "a/b"),
      (error) => error instanceof ManifestInvalid && !String(error.detail).includes(TYPE),
    );
  });

  for (const type of ["Application/vnd.example+json", "a", "a/", "/b", "a/b/c", "a/b; v=1", " a/b", "a/b ", ""]) {
    it(`cannot have the media type ${JSON.stringify(type)}`, () => {
      assert.throws(() => withOwn({ mediaTypes: [TYPE, type], parse: () => EMPTY }), {
        name: "TypeError",
        message: `a kind of manifest has the media type ${JSON.stringify(type)}: expected type/subtype in lower case`,
      });
    });
  }
});

describe("a signed kind of one's own", () => {
  const kinds = withOwn(sealedKind);
  const payload = toBytes({ schemaVersion: 2, mediaType: SEALED, parts: [] });

  it("is its payload, under the type by which it is read", () => {
    const manifest = kinds.parse(toSealed(payload), SEALED);
    assert.equal(manifest.mediaType, SEALED);
    assert.deepEqual(Buffer.from(manifest.bytes), Buffer.from(payload));
    assert.equal(manifest.signatures?.length, 1);
    assert.equal(kinds.mediaTypeOf(payload), SEALED);
    assert.deepEqual(kinds.read(payload).layers, []);
  });

  it("is served under its first type, whichever of them the client names", () => {
    const twofold = withOwn({ ...sealedKind, mediaTypes: [SEALED, TYPE] });
    assert.equal(twofold.parse(toSealed(payload), TYPE).mediaType, SEALED);
    assert.equal(twofold.mediaTypeOf(toBytes(STATED)), SEALED);
  });

  it("must be stated by the payload", () => {
    for (const fields of [{ parts: [] }, { schemaVersion: 2, parts: [] }, { ...STATED, parts: [] }]) {
      assert.throws(() => kinds.parse(toSealed(toBytes(fields)), SEALED), ManifestInvalid, JSON.stringify(fields));
    }
  });

  it("is among those that are accepted", () => {
    assert.throws(() => kinds.parse(payload, "a/b"), fault(new RegExp(RegExp.escape(SEALED))));
  });
});

describe("schema 1", () => {
  const document = { schemaVersion: 1 };

  it("is refused before a byte is looked at where it is not enabled, and not named among what is accepted", () => {
    const kinds = new ManifestKinds(builtInKinds());
    for (const type of [MediaType.dockerSchema1, MediaType.dockerSchema1Signed]) {
      assert.throws(() => kinds.parse(Buffer.of(0xff), type), fault(/^schema 1 manifests are not enabled/));
    }
    assert.throws(() => kinds.parse(toBytes(document), "a/b"), fault(/^(?!.*prettyjws)/));
  });

  it("is named among what is accepted where it is enabled", () => {
    const kinds = new ManifestKinds(builtInKinds({ enabled: true }));
    assert.throws(() => kinds.parse(toBytes(document), "a/b"), fault(/prettyjws/));
  });
});

function withOwn(kind: ManifestKind): ManifestKinds {
  return new ManifestKinds([...builtInKinds(), kind]);
}

function noted(list: unknown[], what: unknown): ManifestContents {
  list.push(what);
  return EMPTY;
}

function toBytes(document: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(document));
}

function fault(sentence: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof ManifestInvalid, String(error));
    assert.match(String(error.detail), sentence);
    return true;
  };
}
