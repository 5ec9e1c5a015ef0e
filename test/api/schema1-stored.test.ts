/** Schema 1 manifests that were stored by somebody else, and signatures kept beside them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openRegistry } from "../../src/library.ts";
import { type Digest, digestOf } from "../../src/oci/digest.ts";
import { ManifestInvalid, ManifestUnknown, ManifestUnverified, Unsupported } from "../../src/oci/errors.ts";
import { MediaType } from "../../src/oci/media-types.ts";
import { parseRepositoryName } from "../../src/oci/names.ts";
import { parseSigningKey } from "../../src/oci/schema1/signing-key.ts";
import type { SignatureService } from "../../src/registry/registry.ts";
import { registryContract } from "../contract/registry.ts";
import type { Api } from "../support/api.ts";
import { expectError, pushBlob, pushImage, putManifest, unchanged } from "../support/api-content.ts";
import {
  certificateOf,
  ecSigner,
  type FixtureSignature,
  fingerprintOf,
  rsaSigner,
  schema1Fields,
  signatureOf,
  signedFixture,
  verifiedPayload,
} from "../support/schema1-fixture.ts";
import { OBSERVED } from "../support/schema1-observed.ts";
import { blobPath, layDownSchema1, signaturesFolder } from "../support/schema1-stored.ts";

const NAME = "library/old";
const TAG = "v1";
const UNKNOWN = digestOf(Buffer.from("nobody"));
const [P256, P384, RSA] = [ecSigner(), ecSigner("ES384"), rsaSigner()];
const PAYLOAD = Buffer.from(JSON.stringify(schema1Fields({ name: NAME, tag: TAG }), null, 3));

registryContract("a stored schema 1 manifest", (open) => {
  const layers = [{ blobSum: `tarsum.v1+sha256:${"ab".repeat(32)}` }, { blobSum: "tarsum+md5:00" }];
  const odd: Readonly<Record<string, string>> = {
    "names its layers by tarsums": JSON.stringify(schema1Fields({ fsLayers: layers }), null, 3),
    "names a layer by what is no digest": JSON.stringify(schema1Fields({ fsLayers: [{ blobSum: "a" }, {}, 1] })),
    "has fewer layers than history": JSON.stringify(schema1Fields({ fsLayers: [] }), null, 2),
    "has no layers at all": JSON.stringify(schema1Fields({ fsLayers: undefined, history: null })),
    "is on one line": JSON.stringify(schema1Fields()),
    "is indented by tabs": JSON.stringify(schema1Fields(), null, "\t"),
    "has the line breaks of Windows": JSON.stringify(schema1Fields(), null, 3).replaceAll("\n", "\r\n"),
    "has white space at its ends": `\n ${JSON.stringify(schema1Fields(), null, 3)} \n\n`,
    "is of another repository and tag": JSON.stringify(schema1Fields({ name: "Other", tag: "-" }), null, 3),
    "says nothing": '{"schemaVersion":1}',
    "has a media type of its own": JSON.stringify(schema1Fields({ mediaType: MediaType.dockerManifest })),
    "has keys twice": '{"schemaVersion":1,"tag":"a","tag":"b"}',
  };
  for (const [what, text] of Object.entries(odd)) {
    test(`that ${what} is served with a signature that holds`, async () => {
      await using api = await open();
      const payload = Buffer.from(text);
      const digest = await layDownSchema1(api.driver, { repository: NAME, tag: TAG, payload });
      for (const reference of [TAG, digest]) {
        const { body, headers } = await pull(api, reference);
        assert.equal(headers["docker-content-digest"], digest);
        assert.deepEqual(verifiedPayload(body), payload);
      }
    });
  }

  test("is signed with the key that the registry was given, and with one it made where it was given none", async () => {
    const signingKey = parseSigningKey(P384.privateKey.export({ format: "pem", type: "pkcs8" }) as string);
    for (const [key, expected] of [[signingKey, fingerprintOf(P384.publicKey)], [undefined]] as const) {
      await using api = await open(key && { signingKey: key });
      await layDownSchema1(api.driver, { repository: NAME, tag: TAG, payload: PAYLOAD });
      const [first, again] = [await keysOf(api), await keysOf(api)];
      assert.deepEqual(first, again);
      if (expected) assert.deepEqual(first, [expected]);
      assert.equal(first.length, 1);
    }
  });

  test("is served to whoever asks for anything, also for something newer", async () => {
    await using api = await open();
    await layDownSchema1(api.driver, { repository: NAME, tag: TAG, payload: PAYLOAD });
    for (const accept of [undefined, "*/*", MediaType.dockerManifest, MediaType.ociManifest, MediaType.dockerSchema1]) {
      const headers = accept === undefined ? {} : { Accept: accept };
      const answer = await api.send("GET", `/v2/${NAME}/manifests/${TAG}`, { headers });
      assert.equal(answer.headers["content-type"], MediaType.dockerSchema1Signed);
      assert.deepEqual(verifiedPayload(answer.body), PAYLOAD);
    }
  });

  test("whose bytes are damaged or gone is not served", async () => {
    await using api = await open({ faulty: true });
    const digest = await layDownSchema1(api.driver, { repository: NAME, tag: TAG, payload: PAYLOAD });
    await api.driver.putContent(blobPath(digest), Buffer.concat([PAYLOAD, Buffer.from(" ")]));
    expectError(await api.send("GET", `/v2/${NAME}/manifests/${TAG}`), 500, "UNKNOWN");
    await api.driver.delete(blobPath(digest));
    expectError(await api.send("GET", `/v2/${NAME}/manifests/${TAG}`), 404, "MANIFEST_UNKNOWN");
  });
});

registryContract("signatures of 2015", (open) => {
  const fixture = signedFixture(schema1Fields({ name: NAME, tag: TAG }), [P256, P384, RSA], { indent: "   " });
  const { payload } = fixture;
  const digest = digestOf(payload);
  const stored = fixture.signatures.map(toBytes);
  const [first] = stored as [Buffer];
  const sorted = stored.toSorted((a, b) => (digestOf(a) < digestOf(b) ? -1 : 1));
  const keys = [P256, P384, RSA].map(({ publicKey }) => fingerprintOf(publicKey));
  const layDown = async (api: Api, signatures: readonly Uint8Array[]): Promise<SignatureService> => {
    assert.equal(await layDownSchema1(api.driver, { repository: NAME, tag: TAG, payload, signatures }), digest);
    return signaturesOf(api);
  };

  test("are served in the document", async () => {
    await using api = await open();
    await layDown(api, stored);
    const { body, headers } = await pull(api, TAG);
    assert.equal(headers["docker-content-digest"], digest);
    assert.equal(headers["content-length"], String(body.length));
    assert.deepEqual(verifiedPayload(body), payload);
    assert.deepEqual(await keysOf(api), keys.toSorted());
    const { signatures } = JSON.parse(body.toString()) as { readonly signatures: readonly FixtureSignature[] };
    const spelt = (one: readonly FixtureSignature[]): object => one.map(({ signature }) => signature).sort();
    assert.deepEqual(spelt(signatures), spelt(fixture.signatures));
  });

  test("are served as they were observed of a peer, byte for byte", async () => {
    await using api = await open();
    const observed = verifiedPayload(OBSERVED.document);
    const { signatures } = JSON.parse(OBSERVED.document.toString()) as { readonly signatures: FixtureSignature[] };
    const { repository, tag } = OBSERVED;
    await layDownSchema1(api.driver, { repository, tag, payload: observed, signatures: signatures.map(toBytes) });
    const { body } = await api.send("GET", `/v2/${repository}/manifests/${tag}`);
    assert.equal(body.toString(), OBSERVED.document.toString());
  });

  test("are left out where their bytes are gone, damaged, or those of another payload", async () => {
    const other = Buffer.from(JSON.stringify(schema1Fields({ name: NAME, tag: TAG, more: "bytes" }), null, 3));
    const foreign = toBytes(signatureOf(other, P256));
    for (const [bad, spoil] of [
      [first, async (api: Api) => await api.driver.delete(blobPath(digestOf(first)))],
      [first, async (api: Api) => await api.driver.putContent(blobPath(digestOf(first)), stored[1] ?? first)],
      [first, async (api: Api) => await api.driver.putContent(linkOf(digest, digestOf(first)), Buffer.from("x"))],
      [first, async (api: Api) => await api.driver.delete(linkOf(digest, digestOf(first)))],
      [foreign, async () => undefined],
      [Buffer.from("null"), async () => undefined],
      [Buffer.from("{"), async () => undefined],
      [Buffer.alloc(300 * 1024, " "), async () => undefined],
    ] as const) {
      await using api = await open();
      await layDown(api, [...stored.slice(1), bad]);
      await spoil(api);
      const { body } = await pull(api, TAG);
      assert.deepEqual(verifiedPayload(body), payload);
      assert.deepEqual(await keysOf(api), keys.slice(1).toSorted());
    }
  });

  test("give way to the registry's own where none of them is left", async () => {
    await using api = await open();
    const service = await layDown(api, stored);
    for (const one of stored) await api.driver.delete(blobPath(digestOf(one)));
    assert.deepEqual(await service.get(digest), []);
    const { body } = await pull(api, TAG);
    assert.deepEqual(verifiedPayload(body), payload);
    const [key, ...others] = await keysOf(api);
    assert.ok(key && !keys.includes(key) && others.length === 0);
  });

  test("are got as they were stored, in the order of their digests", async () => {
    await using api = await open();
    const service = await layDown(api, stored);
    assert.deepEqual((await service.get(digest)).map(text), sorted.map(text));
    assert.deepEqual(await service.get(UNKNOWN), []);
    await api.driver.putContent(`${signaturesFolder(NAME, digest)}/sha256/odd/link`, Buffer.from(UNKNOWN));
    assert.deepEqual((await service.get(digest)).map(text), sorted.map(text));
  });

  test("are not got where their bytes are gone or damaged", async () => {
    await using api = await open();
    const service = await layDown(api, stored);
    const [gone, damaged, whole] = sorted as [Buffer, Buffer, Buffer];
    await api.driver.delete(blobPath(digestOf(gone)));
    await api.driver.putContent(blobPath(digestOf(damaged)), Buffer.concat([damaged, Buffer.from(" ")]));
    assert.deepEqual((await service.get(digest)).map(text), [text(whole)]);
  });

  test("that are put are added to those that are there, and served", async () => {
    await using api = await open();
    const service = await layDown(api, [first]);
    await service.put(digest, ...stored.slice(1));
    assert.deepEqual((await service.get(digest)).map(text), sorted.map(text));
    for (const one of stored) {
      assert.deepEqual(await api.driver.getContent(blobPath(digestOf(one))), one);
      const link = await api.driver.getContent(linkOf(digest, digestOf(one)));
      assert.equal(text(link), digestOf(one));
    }
    assert.deepEqual(await keysOf(api), keys.toSorted());
    await unchanged(api, () => service.put(digest, ...stored));
  });

  test("outlive a push of their manifest, which stores none, and go with the manifest", async () => {
    await using api = await open({ schema1: true });
    const sums = [await pushBlob(api, NAME, Buffer.from("a")), await pushBlob(api, NAME, Buffer.from("b"))];
    const fields = schema1Fields({ name: NAME, tag: TAG, fsLayers: sums.map((blobSum) => ({ blobSum })) });
    const [mine, theirs] = [signedFixture(fields, [P256]), signedFixture(fields, [P384])];
    assert.equal((await putManifest(api, NAME, TAG, mine.document)).status, 201);
    const service = signaturesOf(api);
    assert.deepEqual(await service.get(digestOf(mine.payload)), []);
    await service.put(digestOf(mine.payload), ...mine.signatures.map(toBytes));
    assert.equal((await putManifest(api, NAME, TAG, theirs.document)).status, 201);
    assert.deepEqual(await keysOf(api), [fingerprintOf(P256.publicKey)]);
    await api.send("DELETE", `/v2/${NAME}/manifests/${digestOf(mine.payload)}`);
    assert.deepEqual(await service.get(digestOf(mine.payload)), []);
    await assert.rejects(service.put(digestOf(mine.payload), ...mine.signatures.map(toBytes)), ManifestUnknown);
  });

  test("are one, however they are written", async () => {
    await using api = await open();
    const service = await layDown(api, []);
    const [own] = fixture.signatures as [FixtureSignature];
    const reversed = Object.fromEntries(Object.entries(own).reverse());
    await service.put(digest, toBytes(own), Buffer.from(JSON.stringify(own, null, 1)));
    await service.put(digest, Buffer.from(` ${JSON.stringify(reversed)}\n`));
    assert.deepEqual((await service.get(digest)).map(text), [text(first)]);
    assert.deepEqual(await keysOf(api), keys.slice(0, 1));
  });

  test("may be put where there are none, which changes nothing, of a manifest that is there", async () => {
    await using api = await open();
    const service = await layDown(api, [first]);
    await unchanged(api, () => service.put(digest));
    await assert.rejects(service.put(UNKNOWN), ManifestUnknown);
  });

  test("are not put where one has more than 256 KiB as it is stored", async () => {
    await using api = await open();
    const service = await layDown(api, [first]);
    const long = (length: number): Buffer => {
      const x5c = [certificateOf(P384.publicKey), "A".repeat(length)];
      return toBytes(signatureOf(payload, P384, { header: ({ alg }) => ({ alg, x5c }) }));
    };
    const room = 256 * 1024 - long(0).length;
    for (const bytes of [long(room + 1), Buffer.from(text(long(room - 100)).replaceAll("AAAAA", "<AAAA"))]) {
      await unchanged(api, () => assert.rejects(service.put(digest, bytes), ManifestInvalid));
    }
    await service.put(digest, long(room));
    assert.equal((await service.get(digest)).length, 2);
    const { body } = await pull(api, TAG);
    assert.deepEqual(verifiedPayload(body), payload);
  });

  test("are not put where they would be more than 32 with those that are there", async () => {
    await using api = await open();
    const service = await layDown(api, stored);
    const others = Array.from({ length: 30 }, () => toBytes(signatureOf(payload, ecSigner())));
    await unchanged(api, () => assert.rejects(service.put(digest, ...others), ManifestInvalid));
    await unchanged(api, () => assert.rejects(service.put(digest, ...Array(33).fill(first)), ManifestInvalid));
    const done = await Promise.allSettled(others.map((one) => service.put(digest, one)));
    assert.equal(done.filter(({ status }) => status === "rejected").length, 1);
    assert.equal((await service.get(digest)).length, 32);
    await unchanged(api, () => service.put(digest, ...stored));
    await unchanged(api, () =>
      assert.rejects(service.put(digest, toBytes(signatureOf(payload, P256))), ManifestInvalid),
    );
  });

  test("are not put where one of them does not hold, is of another manifest, or is none", async () => {
    await using api = await open();
    const service = await layDown(api, [first]);
    const [own] = fixture.signatures as [FixtureSignature];
    const same = Buffer.from(payload.toString().replace("amd64", "arm64"));
    const longer = Buffer.from(payload.toString().replace("amd64", "amd6464"));
    for (const [error, bytes] of [
      [ManifestUnverified, toBytes({ ...own, signature: "A".repeat(86) })],
      [ManifestUnverified, toBytes(signatureOf(same, P256))],
      [ManifestInvalid, toBytes(signatureOf(longer, P256))],
      [ManifestInvalid, Buffer.from("{")],
      [ManifestInvalid, Buffer.from("[]")],
      [ManifestInvalid, Buffer.alloc(0)],
      [ManifestUnverified, toBytes({ ...own, header: { alg: "ES256" } })],
    ] as const) {
      await unchanged(api, () => assert.rejects(service.put(digest, stored[1] ?? first, bytes), error));
    }
  });

  test("are not put to a manifest that is not there, nor to one of a kind without signatures", async () => {
    await using api = await open();
    const service = await layDown(api, [first]);
    const image = await pushImage(api, NAME, { docker: true });
    await unchanged(api, async () => {
      await assert.rejects(service.put(UNKNOWN, first), ManifestUnknown);
      await assert.rejects(service.put(image.digest, first), Unsupported);
      assert.deepEqual(await service.get(image.digest), []);
    });
  });
});

function signaturesOf({ driver }: Api): SignatureService {
  return openRegistry({ driver }).repository(parseRepositoryName(NAME)).signatures;
}

async function pull(api: Api, reference: string): ReturnType<Api["send"]> {
  const answer = await api.send("GET", `/v2/${NAME}/manifests/${reference}`);
  assert.equal(answer.status, 200, answer.body.toString());
  assert.equal(answer.headers["content-type"], MediaType.dockerSchema1Signed);
  return answer;
}

/** Of those who signed what is served. */
async function keysOf(api: Api): Promise<readonly string[]> {
  const { body } = await pull(api, TAG);
  const { signatures } = JSON.parse(body.toString()) as { readonly signatures: readonly FixtureSignature[] };
  return signatures.map(({ header }) => String(header.jwk?.["kid"]));
}

function linkOf(digest: Digest, signature: Digest): string {
  return `${signaturesFolder(NAME, digest)}/${signature.replace(":", "/")}/link`;
}

function toBytes(signature: FixtureSignature): Buffer {
  return Buffer.from(JSON.stringify(signature));
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}
