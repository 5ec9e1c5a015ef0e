/** The services of a registry as a program uses them, without HTTP. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Digest,
  DigestInvalid,
  digestOf,
  type ManifestKind,
  ManifestUnknown,
  MediaType,
  MemoryDriver,
  NameInvalid,
  openRegistry,
  parseRepositoryName,
  parseTag,
  type Registry,
  RegistryErrors,
  readDescriptors,
  type StoredManifest,
  TagInvalid,
} from "../src/index.ts";
import { servicesContract } from "./contract/registry.ts";
import { contentsOf } from "./support/api-content.ts";
import {
  ecSigner,
  type FixtureSignature,
  fingerprintOf,
  schema1Fields,
  signatureOf,
  signedFixture,
  verifiedPayload,
} from "./support/schema1-fixture.ts";

const NAME = parseRepositoryName("team/app");
const [V1, V2, V3] = [parseTag("v1"), parseTag("v2"), parseTag("v3")];
const MODELS: ManifestKind = {
  mediaTypes: ["application/vnd.example.model.v1+json"],
  parse: (document, _mediaType, onFault) => ({
    layers: readDescriptors(document, "weights", onFault),
    manifests: [],
  }),
};
const NOBODY = digestOf(Buffer.from("nobody"));

servicesContract("the services", (open) => {
  test("get a manifest by its tag, and follow the tag", async () => {
    await using place = await open({ deletion: true });
    const { manifests, tags } = place.registry.repository(NAME);
    const [first, second] = [await putIndex(place.registry, "1"), await putIndex(place.registry, "2")];
    await assert.rejects(manifests.getByTag(V1), ManifestUnknown);
    for (const digest of [first, second]) {
      await tags.set(V1, digest);
      assert.deepEqual(await manifests.getByTag(V1), await manifests.get(digest));
      assert.equal((await manifests.getByTag(V1)).digest, digest);
    }
    await tags.delete(V1);
    await assert.rejects(manifests.getByTag(V1), ManifestUnknown);
    assert.equal(await manifests.has(second), true);
    await assert.rejects(
      place.registry.repository(parseRepositoryName("other")).manifests.getByTag(V1),
      ManifestUnknown,
    );
  });

  test("know whether a tag is there", async () => {
    await using place = await open({ deletion: true });
    const { manifests, tags } = place.registry.repository(NAME);
    assert.equal(await tags.has(V1), false);
    const digest = await putIndex(place.registry, "1");
    assert.equal(await tags.has(V1), false, "a manifest that is put is not tagged");
    await tags.set(V1, digest);
    await tags.set(V2, digest);
    await tags.delete(V2);
    assert.deepEqual([await tags.has(V1), await tags.has(V2), await tags.has(V3)], [true, false, false]);
    assert.equal(await place.registry.repository(parseRepositoryName("team")).tags.has(V1), false);
    await manifests.delete(digest);
    assert.equal(await tags.has(V1), false);
  });

  test("tag nothing that is not there", async () => {
    await using place = await open();
    const { tags } = place.registry.repository(NAME);
    await putIndex(place.registry, "1");
    await assert.rejects(tags.set(V1, NOBODY), ManifestUnknown);
    assert.equal(await tags.has(V1), false);
  });

  test("put no manifest under another digest than that of its bytes", async () => {
    await using place = await open();
    const { manifests } = place.registry.repository(NAME);
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: [] }));
    const manifest = place.registry.kinds.parse(bytes, undefined);
    const before = await contentsOf(place.driver);
    for (const digest of [NOBODY, digestOf(bytes, "sha512").replace(/.$/, "-") as Digest]) {
      await assert.rejects(manifests.put(manifest, digest), DigestInvalid);
    }
    assert.deepEqual(await contentsOf(place.driver), before);
    for (const algorithm of ["sha256", "sha384", "sha512"] as const) {
      await manifests.put(manifest, digestOf(bytes, algorithm));
    }
  });

  test("put a manifest that names its place there alone", async () => {
    await using place = await open({ schema1: { enabled: true } });
    const { manifests } = place.registry.repository(NAME);
    const fields = schema1Fields({ name: NAME, tag: "v1", fsLayers: [], history: [] });
    const { document, payload } = signedFixture(fields, [ecSigner()]);
    const digest = digestOf(payload);
    const manifest = place.registry.kinds.parse(document, undefined);
    const before = await contentsOf(place.driver);
    await assert.rejects(manifests.put(manifest, digest, { tags: [V2] }), TagInvalid);
    await assert.rejects(manifests.put(manifest, digest, { tags: [V1, V2] }), TagInvalid);
    const other = place.registry.repository(parseRepositoryName("other"));
    await assert.rejects(other.manifests.put(manifest, digest, { tags: [V1] }), NameInvalid);
    assert.deepEqual(await contentsOf(place.driver), before);
    for (const options of [{ tags: [V1] }, { tags: [] }, {}]) await manifests.put(manifest, digest, options);
  });

  test("list tags from one on, which need not be there", async () => {
    await using place = await open();
    const { tags } = place.registry.repository(NAME);
    const digest = await putIndex(place.registry, "1");
    for (const tag of [V3, V1, V2]) await tags.set(tag, digest);
    for (const [after, expected] of [
      [undefined, ["v1", "v2", "v3"]],
      [V1, ["v2", "v3"]],
      [parseTag("v10"), ["v2", "v3"]],
      [V3, []],
    ] as const) {
      assert.deepEqual(await Array.fromAsync(tags.list({ after })), expected);
    }
  });

  test("list manifests by digest from one on, which need not be there, and stop when told to", async () => {
    await using place = await open({ deletion: true });
    const { manifests } = place.registry.repository(NAME);
    assert.deepEqual(await Array.fromAsync(manifests.list()), []);
    const digests: Digest[] = [];
    for (const mark of ["1", "2", "3", "4"]) digests.push(await putIndex(place.registry, mark));
    digests.push(await putIndex(place.registry, "5", "sha512"));
    digests.sort();
    for (const [index, after] of [undefined, ...digests].entries()) {
      assert.deepEqual(await Array.fromAsync(manifests.list({ after })), digests.slice(index));
    }
    const [first, second] = digests as [Digest, Digest];
    await manifests.delete(first);
    assert.deepEqual(await Array.fromAsync(manifests.list({ after: first })), digests.slice(1));
    const abort = new AbortController();
    await assert.rejects(async () => {
      for await (const digest of manifests.list({ signal: abort.signal })) {
        assert.equal(digest, second);
        abort.abort();
      }
    }, /abort/i);
  });

  test("list repositories from one on", async () => {
    await using place = await open();
    const names = ["a", "a/b", "a-b", "b"].map(parseRepositoryName);
    for (const name of names) await putIndex(place.registry, "1", "sha256", name);
    for (const [index, after] of [undefined, ...names].entries()) {
      assert.deepEqual(await Array.fromAsync(place.registry.repositories({ after })), names.slice(index));
    }
  });

  test("keep the signatures of a manifest that are put by several at once", async () => {
    await using place = await open({ schema1: { enabled: true } });
    const { manifests, signatures } = place.registry.repository(NAME);
    const signers = Array.from({ length: 8 }, () => ecSigner());
    const fields = schema1Fields({ name: NAME, tag: "v1", fsLayers: [], history: [] });
    const { document, payload } = signedFixture(fields, signers.slice(0, 1));
    const digest = digestOf(payload);
    await manifests.put(place.registry.kinds.parse(document, undefined), digest);
    const made = signers.map((signer) => Buffer.from(JSON.stringify(signatureOf(payload, signer))));
    await Promise.all(made.map((one) => signatures.put(digest, one)));
    const got = (await signatures.get(digest)).map((one) => Buffer.from(one).toString());
    assert.deepEqual(got.toSorted(), made.map(String).toSorted());
    assert.deepEqual(
      got.map((one) => digestOf(Buffer.from(one))),
      got.map((one) => digestOf(Buffer.from(one))).toSorted(),
    );
    const stored = await manifests.get(digest);
    assert.deepEqual(verifiedPayload(Buffer.from(stored.bytes)), payload);
    assert.deepEqual(signersOf(stored), signers.map(({ publicKey }) => fingerprintOf(publicKey)).toSorted());
  });

  test("take and read manifests of a kind of one's own as any other", async () => {
    await using place = await open({ kinds: [MODELS], deletion: true });
    const { manifests, tags, uploads, signatures } = place.registry.repository(NAME);
    const weights = Buffer.from("weights");
    const [type] = MODELS.mediaTypes;
    const descriptor = { mediaType: "application/x", digest: digestOf(weights), size: weights.length };
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: type, weights: [descriptor] }));
    const manifest = place.registry.kinds.parse(bytes, type);
    const digest = digestOf(bytes);
    await assert.rejects(manifests.put(manifest, digest), RegistryErrors);
    assert.equal(await manifests.has(digest), false);
    await (await (await uploads.start()).append(weights)).commit(descriptor.digest);
    assert.deepEqual(await manifests.put(manifest, digest), []);
    await tags.set(V1, digest);
    const stored = await manifests.getByTag(V1);
    assert.deepEqual([stored.mediaType, Buffer.from(stored.bytes)], [type, bytes]);
    assert.deepEqual(await Array.fromAsync(manifests.list()), [digest]);
    assert.deepEqual(place.registry.kinds.read(stored.bytes).layers, [descriptor]);
    assert.deepEqual(await signatures.get(digest), []);
    const without = openRegistry({ driver: place.driver }).repository(NAME);
    assert.equal((await without.manifests.getByTag(V1)).mediaType, MediaType.ociManifest);
    assert.deepEqual(await manifests.delete(digest), [V1]);
  });
});

test("two kinds of manifests with one media type are refused", () => {
  assert.throws(() => openNothing([MODELS, { ...MODELS }]), /two kinds of manifest have the media type/);
  const mediaTypes = [MediaType.ociIndex] as const;
  assert.throws(() => openNothing([{ ...MODELS, mediaTypes }]), /two kinds of manifest have the media type/);
});

function openNothing(kinds: readonly ManifestKind[]): Registry {
  return openRegistry({ driver: new MemoryDriver(), kinds });
}

/** A manifest that needs nothing. */
async function putIndex(
  registry: Registry,
  mark: string,
  algorithm: "sha256" | "sha512" = "sha256",
  name = NAME,
): Promise<Digest> {
  const document = { schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: [], annotations: { mark } };
  const bytes = Buffer.from(JSON.stringify(document));
  const digest = digestOf(bytes, algorithm);
  await registry.repository(name).manifests.put(registry.kinds.parse(bytes, undefined), digest);
  return digest;
}

function signersOf({ bytes }: StoredManifest): readonly string[] {
  const { signatures } = JSON.parse(Buffer.from(bytes).toString()) as { readonly signatures: FixtureSignature[] };
  return signatures.map(({ header }) => String(header.jwk?.["kid"]));
}
