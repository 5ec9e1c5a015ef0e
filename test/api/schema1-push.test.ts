/** Signed manifests of 2015 that clients push, each made by a signer that knows nothing of ours. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { digestOf } from "../../src/oci/digest.ts";
import { MediaType } from "../../src/oci/media-types.ts";
import { MemoryDriver } from "../../src/storage/memory.ts";
import { registryContract } from "../contract/registry.ts";
import { type Answer, type Api, startApi } from "../support/api.ts";
import { contentsOf, errorsOf, expectError, noise, pushBlob, putManifest, unchanged } from "../support/api-content.ts";
import {
  certificateOf,
  ecSigner,
  type FixtureSignature,
  joined,
  jwkOf,
  rsaSigner,
  schema1Fields,
  signatureOf,
  signedFixture,
  verifiedPayload,
} from "../support/schema1-fixture.ts";
import { blobPath, layDownBlob, layDownSchema1, revisionFolder, tarsumLink } from "../support/schema1-stored.ts";

const NAME = "library/old";
const TAG = "v1";
const SIGNED = MediaType.dockerSchema1Signed;
const TARSUM = `tarsum.v1+sha256:${"ab".repeat(32)}`;
const LAYERS = ["second", "first"].map((text) => Buffer.from(text));
const [P256, P384, RSA] = [ecSigner(), ecSigner("ES384"), rsaSigner()];

/** Its layers are {@link LAYERS}, which each test pushes. */
const FIELDS = schema1Fields({ name: NAME, tag: TAG, ...layersOf(...LAYERS.map((layer) => digestOf(layer))) });
const SAMPLE = signedFixture(FIELDS, [P256], { indent: "   " });
const DIGEST = digestOf(SAMPLE.payload);

registryContract("pushing a schema 1 manifest", (open) => {
  const openWithLayers = async (schema1 = true): Promise<Api> => {
    const api = await open({ schema1 });
    for (const layer of LAYERS) await pushBlob(api, NAME, layer);
    return api;
  };

  for (const reference of [TAG, DIGEST]) {
    for (const type of [SIGNED, MediaType.dockerSchema1, "application/json; charset=utf-8", undefined]) {
      const by = reference === TAG ? "tag" : "digest";
      test(`by ${by} as ${type ?? "anything"} stores the payload alone, named by its own digest`, async () => {
        await using api = await openWithLayers();
        const before = await contentsOf(api.driver);
        const answer = await putManifest(api, NAME, reference, SAMPLE.document, type);
        assert.equal(answer.status, 201, answer.body.toString());
        assert.equal(answer.headers["docker-content-digest"], DIGEST);
        assert.equal(answer.headers.location, `${api.origin}/v2/${NAME}/manifests/${DIGEST}`);
        assert.equal(answer.headers.warning, undefined);
        assert.deepEqual(await api.driver.getContent(blobPath(DIGEST)), SAMPLE.payload);
        const added = Object.keys(await contentsOf(api.driver)).filter((path) => !(path in before));
        assert.ok(!added.some((path) => path.includes("signatures")));
        assert.equal(added.filter((path) => path.endsWith("/data")).length, 1);
        await expectServed(api, reference, SAMPLE.payload);
      });
    }
  }

  const accepted: Readonly<Record<string, () => Buffer>> = {
    "four signatures": () => signedFixture(FIELDS, [P256, P384, ecSigner("ES512"), RSA]).document,
    "the signature of a certificate's key": () => {
      const chain = [certificateOf(RSA.publicKey), certificateOf(P384.publicKey)];
      return signedFixture(FIELDS, [RSA], { header: ({ alg }) => ({ alg, x5c: chain }) }).document;
    },
    "no indentation": () => signedFixture(FIELDS, [P256]).document,
    "no architecture": () => signedFixture({ ...FIELDS, architecture: undefined }, [P256]).document,
    "no layers": () => signedFixture({ ...FIELDS, ...layersOf() }, [P256], { indent: "\t" }).document,
    "the same layer twice": () => {
      const sum = digestOf(Buffer.from("first"));
      return signedFixture({ ...FIELDS, ...layersOf(sum, sum) }, [P256]).document;
    },
  };
  for (const [what, make] of Object.entries(accepted)) {
    test(`with ${what} is possible, and it is served with a signature that holds`, async () => {
      await using api = await openWithLayers();
      const document = make();
      assert.equal((await putManifest(api, NAME, TAG, document, SIGNED)).status, 201);
      await expectServed(api, TAG, verifiedPayload(document));
    });
  }

  test("that was pulled from here is possible, and it is the same manifest", async () => {
    await using api = await openWithLayers();
    await putManifest(api, NAME, TAG, SAMPLE.document, SIGNED);
    const { body } = await api.send("GET", `/v2/${NAME}/manifests/${TAG}`);
    const answer = await putManifest(api, NAME, TAG, body, SIGNED);
    assert.equal(answer.status, 201);
    assert.equal(answer.headers["docker-content-digest"], DIGEST);
  });

  test("whose signature does not hold is refused", async () => {
    await using api = await openWithLayers();
    for (const [what, document] of Object.entries(forged())) {
      for (const reference of [TAG, DIGEST]) {
        const answer = await unchanged(api, () => putManifest(api, NAME, reference, document, SIGNED));
        const isOther = reference === DIGEST && what === "a payload that was changed";
        expectError(answer, 400, isOther ? "DIGEST_INVALID" : "MANIFEST_UNVERIFIED");
      }
    }
  });

  const { payload, document } = SAMPLE;
  const unsigned: Readonly<Record<string, string | Uint8Array>> = {
    "no signatures": payload,
    "an empty list of signatures": joined(payload, []),
    "its payload's digest, and another payload": signedFixture({ ...FIELDS, fsLayers: 1 }, [P256]).document,
    "a member that nobody signed": document.toString().replace('"signatures"', '"added":1,"signatures"'),
    "65 signatures": joined(payload, Array(65).fill(SAMPLE.signatures[0])),
    "more history than layers": signedFixture({ ...FIELDS, fsLayers: [] }, [P256]).document,
    "a layer without a name that is known": signedFixture({ ...FIELDS, ...layersOf("md5:00") }, [P256]).document,
  };
  for (const [what, body] of Object.entries(unsigned)) {
    test(`with ${what} is refused`, async () => {
      await using api = await openWithLayers();
      for (const type of [SIGNED, MediaType.dockerSchema1, undefined]) {
        const answer = await unchanged(api, () => putManifest(api, NAME, TAG, body, type));
        expectError(answer, 400, "MANIFEST_INVALID");
      }
    });
  }

  test("of another repository is refused, by tag and by digest", async () => {
    await using api = await openWithLayers();
    for (const layer of LAYERS) await pushBlob(api, "library/new", layer);
    for (const reference of [TAG, DIGEST]) {
      const answer = await unchanged(api, () => putManifest(api, "library/new", reference, document, SIGNED));
      const detail = expectError(answer, 400, "NAME_INVALID");
      assert.equal(detail, "the manifest is one of the repository library/old, not of library/new");
    }
  });

  test("of another tag is refused, and by digest it may be of any", async () => {
    await using api = await openWithLayers();
    for (const reference of ["v2", `${DIGEST}?tag=v2`, `${DIGEST}?tag=${TAG}&tag=v2`]) {
      const answer = await unchanged(api, () => putManifest(api, NAME, reference, document, SIGNED));
      assert.equal(expectError(answer, 400, "TAG_INVALID"), "the manifest is of the tag v1, not v2");
    }
    const untagged = signedFixture({ ...FIELDS, tag: "" }, [P256]);
    const answer = await unchanged(api, () => putManifest(api, NAME, "v2", untagged.document, SIGNED));
    assert.equal(expectError(answer, 400, "TAG_INVALID"), "the manifest is of the tag (none), not v2");
    const digest = digestOf(untagged.payload);
    assert.equal((await putManifest(api, NAME, digest, untagged.document, SIGNED)).status, 201);
    const tagged = await putManifest(api, NAME, `${DIGEST}?tag=${TAG}`, document, SIGNED);
    assert.equal(tagged.status, 201);
    assert.equal(tagged.headers["oci-tag"], TAG);
  });

  test("by another digest than that of its payload is refused, that of the whole document too", async () => {
    await using api = await openWithLayers();
    for (const digest of [digestOf(document), digestOf(noise(5)), digestOf(payload, "sha512").replace(/.$/, "x")]) {
      const answer = await unchanged(api, () => putManifest(api, NAME, digest, document, SIGNED));
      expectError(answer, 400, "DIGEST_INVALID");
    }
    const sha512 = digestOf(payload, "sha512");
    assert.equal((await putManifest(api, NAME, sha512, document, SIGNED)).status, 201);
    const { body, headers } = await api.send("GET", `/v2/${NAME}/manifests/${sha512}`);
    assert.equal(headers["docker-content-digest"], sha512);
    assert.deepEqual(verifiedPayload(body), payload);
  });

  test("names every layer that is missing, in the order of the document", async () => {
    await using api = await openWithLayers();
    const elsewhere = await pushBlob(api, "other", Buffer.from("only in the other"));
    const missing = [`sha256:${"d".repeat(64)}`, elsewhere, TARSUM];
    const sums = [missing[0], digestOf(Buffer.from("first")), missing[1], missing[2]] as string[];
    const { document } = signedFixture({ ...FIELDS, ...layersOf(...sums) }, [P256]);
    const answer = await unchanged(api, () => putManifest(api, NAME, TAG, document, SIGNED));
    assert.deepEqual(
      errorsOf(answer, 400).map(({ code, detail }) => [code, detail]),
      missing.map((digest) => ["MANIFEST_BLOB_UNKNOWN", digest]),
    );
  });

  test("may name its layers by tarsums that are here", async () => {
    await using api = await openWithLayers();
    const digest = await layDownBlob(api.driver, Buffer.from("a layer of 2015"));
    await api.driver.putContent(tarsumLink(NAME, TARSUM), Buffer.from(digest));
    const old = signedFixture({ ...FIELDS, ...layersOf(TARSUM, digestOf(Buffer.from("first"))) }, [P256]);
    assert.equal((await putManifest(api, NAME, TAG, old.document, SIGNED)).status, 201);
    await expectServed(api, TAG, old.payload);
  });

  test("replaces what the tag pointed at, which stays by its digest", async () => {
    await using api = await openWithLayers();
    const next = signedFixture({ ...FIELDS, architecture: "arm" }, [P384]);
    for (const one of [SAMPLE, next]) assert.equal((await putManifest(api, NAME, TAG, one.document)).status, 201);
    await expectServed(api, TAG, next.payload);
    await expectServed(api, DIGEST, payload);
  });

  test("is refused with the way out where it is not enabled", async () => {
    await using api = await openWithLayers(false);
    for (const type of [SIGNED, MediaType.dockerSchema1, "application/json", undefined]) {
      for (const reference of [TAG, DIGEST]) {
        const answer = await unchanged(api, () => putManifest(api, NAME, reference, document, type));
        const detail = expectError(answer, 400, "MANIFEST_INVALID");
        assert.match(String(detail), /^schema 1 manifests are not enabled: push this image as schema 2 or OCI, .* set/);
        assert.match(String(detail), /compatibility\.schema1\.enabled/);
      }
    }
    await layDownSchema1(api.driver, { repository: NAME, tag: TAG, payload });
    await expectServed(api, TAG, payload);
  });

  test("and deleting it takes its revision, its tag and the signatures of former times away", async () => {
    await using api = await openWithLayers();
    await putManifest(api, NAME, TAG, document, SIGNED);
    const signatures = SAMPLE.signatures.map((one) => Buffer.from(JSON.stringify(one)));
    await layDownSchema1(api.driver, { repository: NAME, tag: TAG, payload, signatures });
    assert.equal((await api.send("DELETE", `/v2/${NAME}/manifests/${DIGEST}`)).status, 202);
    for (const reference of [TAG, DIGEST]) {
      expectError(await api.send("GET", `/v2/${NAME}/manifests/${reference}`), 404, "MANIFEST_UNKNOWN");
    }
    const folder = revisionFolder(NAME, DIGEST);
    const left = Object.entries(await contentsOf(api.driver)).filter(([path, what]) => {
      return path.startsWith(folder) && what !== "folder";
    });
    assert.deepEqual(left, []);
    assert.ok(await api.driver.getContent(blobPath(DIGEST)));
    assert.equal((await putManifest(api, NAME, TAG, document, SIGNED)).status, 201);
    await expectServed(api, TAG, payload);
  });

  test("with any one byte changed is refused and stores nothing, or the change has no effect", async () => {
    await using api = await openWithLayers();
    const place = fc.nat(document.length - 1);
    const before = await contentsOf(api.driver);
    await fc.assert(
      fc.asyncProperty(place, fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const changed = Buffer.from(document);
        changed[at] = (changed[at] ?? 0) ^ change;
        const answer = await putManifest(api, NAME, TAG, changed, SIGNED);
        if (answer.status === 400) return assert.deepEqual(await contentsOf(api.driver), before);
        assert.equal(answer.status, 201);
        assert.deepEqual(withoutNoise(changed), withoutNoise(document));
        assert.equal(answer.headers["docker-content-digest"], DIGEST);
        return await restore(api, before);
      }),
      { numRuns: 200 },
    );
  });
});

test("a manifest of 4 MiB with its signatures is pushed, pulled and pushed again", async () => {
  await using api = await startApi(new MemoryDriver(), { schema1: true });
  const padding = "x".repeat(4 * 1024 * 1024 - 1000);
  const big = signedFixture({ ...FIELDS, ...layersOf(), padding }, [P256]);
  const { length } = big.document;
  assert.ok(length <= 4 * 1024 * 1024 && length > 4 * 1024 * 1024 - 1000);
  assert.equal((await putManifest(api, NAME, TAG, big.document, SIGNED)).status, 201);
  const { body } = await api.send("GET", `/v2/${NAME}/manifests/${TAG}`);
  assert.deepEqual(verifiedPayload(body), big.payload);
  assert.equal((await putManifest(api, NAME, TAG, body, SIGNED)).status, 201);
});

/** GET and HEAD, signed, and nothing where the client has it already. */
async function expectServed(api: Api, reference: string, payload: Buffer): Promise<void> {
  const target = `/v2/${NAME}/manifests/${reference}`;
  const digest = digestOf(payload);
  const [got, head] = [await api.send("GET", target), await api.send("HEAD", target)];
  for (const answer of [got, head]) expectHeaders(answer, digest);
  assert.equal(got.headers["content-length"], String(got.body.length));
  assert.equal(head.headers["content-length"], String(got.body.length));
  assert.equal(head.body.length, 0);
  assert.deepEqual(verifiedPayload(got.body), payload);
  const { signatures: _, ...shown } = JSON.parse(got.body.toString());
  assert.deepEqual(shown, JSON.parse(payload.toString()));
  for (const method of ["GET", "HEAD"]) {
    const answer = await api.send(method, target, { headers: { "If-None-Match": `"${digest}"` } });
    assert.equal(answer.status, 304);
    assert.equal(answer.headers.etag, `"${digest}"`);
    assert.equal(answer.body.length, 0);
  }
}

function expectHeaders({ status, headers, body }: Answer, digest: string): void {
  assert.equal(status, 200, body.toString());
  assert.equal(headers["content-type"], SIGNED);
  assert.equal(headers["docker-content-digest"], digest);
  assert.equal(headers.etag, `"${digest}"`);
}

function forged(): Readonly<Record<string, Uint8Array>> {
  const { payload, document, signatures } = SAMPLE;
  const [signature] = signatures as [FixtureSignature];
  const with_ = (over: Partial<FixtureSignature>): Buffer => joined(payload, [{ ...signature, ...over }], "   ");
  const header = Buffer.from(signature.protected, "base64url").toString();
  const later = Buffer.from(header.replace("2015", "2016")).toString("base64url");
  const short = rsaSigner("RS256", 1024);
  return {
    "a payload that was changed": Buffer.from(document.toString().replace('"amd64"', '"arm64"')),
    "a protected header that was changed": with_({ protected: later }),
    "another key": with_({ header: { alg: "ES256", jwk: jwkOf(ecSigner().publicKey) } }),
    "the certificate of another key": with_({ header: { alg: "ES256", x5c: [certificateOf(ecSigner().publicKey)] } }),
    "no key": with_({ header: { alg: "ES256" } }),
    "the algorithm none": with_({ header: { ...signature.header, alg: "none" } }),
    "a second signature that does not hold": joined(
      payload,
      [signature, { ...signatureOf(payload, P384), signature: "A".repeat(128) }],
      "   ",
    ),
    "a key of 1024 bits": joined(payload, [signatureOf(payload, short)], "   "),
  };
}

/** What is read of a document: without the white space between tokens and without the name of `kid`, which may be absent. */
function withoutNoise(document: Buffer): unknown {
  const { signatures, ...fields } = JSON.parse(document.toString());
  return [
    fields,
    signatures.map(({ header: { jwk, ...header }, ...signature }: FixtureSignature) => {
      const { crv, kty, x, y } = jwk ?? {};
      return { ...signature, header, jwk: { crv, kty, x, y } };
    }),
  ];
}

/** Takes away what a push has added. */
async function restore({ driver }: Api, before: Readonly<Record<string, string>>): Promise<void> {
  const added = Object.keys(await contentsOf(driver)).filter((path) => !(path in before));
  for (const path of added.filter((one) => !added.some((other) => one.startsWith(`${other}/`)))) {
    await driver.delete(path);
  }
}

function layersOf(...sums: readonly string[]): Readonly<Record<string, unknown>> {
  return {
    fsLayers: sums.map((blobSum) => ({ blobSum })),
    history: sums.map((_, index) => ({ v1Compatibility: JSON.stringify({ id: String(index).repeat(64) }) })),
  };
}
