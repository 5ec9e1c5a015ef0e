/** Images of schema 2 as clients of Docker before 1.10 get them. @see manifests, section 5.4 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { type Digest, digestOf } from "../../src/oci/digest.ts";
import { MediaType } from "../../src/oci/media-types.ts";
import { makeSigningKey, type SigningKey } from "../../src/oci/schema1/signing-key.ts";
import { registryContract } from "../contract/registry.ts";
import { type Answer, type Api, startApi } from "../support/api.ts";
import {
  contentsOf,
  type Document,
  descriptorOf,
  expectError,
  noise,
  type Pushed,
  pushBlob,
  pushImage,
  pushManifest,
  unchanged,
} from "../support/api-content.ts";
import { verifiedPayload } from "../support/schema1-fixture.ts";
import { OBSERVED } from "../support/schema1-observed.ts";
import { blobPath } from "../support/schema1-stored.ts";

const { dockerSchema1: UNSIGNED, dockerSchema1Signed: SIGNED, dockerManifest: SCHEMA2, dockerList: LIST } = MediaType;
const EMPTY_LAYER = "sha256:a3ed95caeb02ffe68cdd9fd84406680ae93d633cb16422d00e8a7c22955b46d4";
const { repository: NAME, tag: TAG } = OBSERVED;

/** Docker 1.6 to 1.9; the q of some clients counts for nothing. */
const OLD_CLIENTS: readonly string[] = [SIGNED, UNSIGNED, `${SIGNED};q=0.5, ${UNSIGNED}`, `text/plain, ${SIGNED}`];

registryContract("an image of schema 2 for a client that takes schema 1 alone", (open) => {
  for (const accept of OLD_CLIENTS) {
    test(`is converted as a peer was observed to do it, for ${accept}`, async () => {
      await using api = await open({ schema1: true });
      await pushSchema2(api);
      const { body, headers } = await pull(api, TAG, accept);
      const payload = verifiedPayload(body);
      assert.equal(payload.toString(), verifiedPayload(OBSERVED.document).toString());
      assert.equal(payload.length, OBSERVED.payloadLength);
      assert.equal(headers["docker-content-digest"], OBSERVED.digest);
      assert.equal(headers.etag, `"${OBSERVED.digest}"`);
      assert.equal(headers["content-length"], String(body.length));
      assert.equal(body.length, OBSERVED.document.length);
    });
  }

  test("has the headers of GET in HEAD, and is not sent again to who has it", async () => {
    await using api = await open({ schema1: true });
    const { digest } = await pushSchema2(api);
    const target = `/v2/${NAME}/manifests/${TAG}`;
    const head = await api.send("HEAD", target, { headers: { Accept: SIGNED } });
    assert.deepEqual(
      ["content-type", "content-length", "docker-content-digest", "etag"].map((name) => head.headers[name]),
      [SIGNED, String(OBSERVED.document.length), OBSERVED.digest, `"${OBSERVED.digest}"`],
    );
    assert.equal(head.body.length, 0);
    for (const [one, name] of [
      [OBSERVED.digest, OBSERVED.digest],
      [`"x", "${OBSERVED.digest}"`, OBSERVED.digest],
      [`"${digest}"`, digest],
    ] as const) {
      for (const method of ["GET", "HEAD"]) {
        const answer = await api.send(method, target, { headers: { Accept: SIGNED, "If-None-Match": one } });
        assert.equal(answer.status, 304);
        assert.equal(answer.headers.etag, `"${name}"`);
      }
    }
    const stale = { Accept: SIGNED, "If-None-Match": `"${digestOf(noise(9))}"` };
    assert.equal((await api.send("GET", target, { headers: stale })).status, 200);
  });

  test("is not signed for who has it", async () => {
    const key = makeSigningKey();
    const signingKey: SigningKey = { ...key, privateKey: key.publicKey.key }; // which signs nothing
    await using api = await open({ schema1: true, signingKey, faulty: true });
    await pushSchema2(api);
    const known = { Accept: SIGNED, "If-None-Match": `"${OBSERVED.digest}"` };
    assert.equal((await api.send("GET", `/v2/${NAME}/manifests/${TAG}`, { headers: known })).status, 304);
    assert.equal((await send(api, TAG)).status, 500);
  });

  test("has the form that the client takes, which caches are told of, as they are of a list", async () => {
    await using api = await open({ schema1: true, headers: { Vary: ["Origin"] } });
    await using without = await startApi(api.driver, { headers: { "X-Of-The-Operator": ["1"] } });
    const image = await pushSchema2(api);
    await pushManifest(api, NAME, listOf([image, "amd64"]), { reference: "list" });
    await pushManifest(api, NAME, listOf([image, "arm64"]), { reference: "arm" });
    const oci = await pushImage(api, NAME, { reference: "oci" });
    const vary = async (from: Api, reference: string, headers: Record<string, string> = {}): Promise<unknown> =>
      (await from.send("GET", `/v2/${NAME}/manifests/${reference}`, { headers })).headers.vary;
    for (const reference of [TAG, "list", "arm"]) {
      for (const accept of [SIGNED, SCHEMA2, LIST, "*/*"]) {
        assert.equal(await vary(api, reference, { Accept: accept }), "Origin, Accept", `${reference} ${accept}`);
      }
    }
    for (const digest of [image.digest, OBSERVED.digest]) {
      const headers = { Accept: SIGNED, "If-None-Match": `"${digest}"` };
      assert.equal(await vary(api, TAG, headers), "Origin, Accept");
      assert.equal(await vary(without, "list", headers), "Accept");
    }
    for (const reference of ["oci", oci.digest, image.digest]) assert.equal(await vary(api, reference), "Origin");
    for (const reference of [TAG, "oci", image.digest]) assert.equal(await vary(without, reference), undefined);
    assert.equal(await vary(without, "list"), "Accept");
  });

  test("comes with the layer of its steps that made none, which is provided once and can be pulled", async () => {
    await using api = await open({ schema1: true });
    await pushSchema2(api);
    expectError(await api.send("GET", `/v2/${NAME}/blobs/${EMPTY_LAYER}`), 404, "BLOB_UNKNOWN");
    const before = await contentsOf(api.driver);
    const head = { headers: { Accept: SIGNED } };
    assert.equal((await api.send("HEAD", `/v2/${NAME}/manifests/${TAG}`, head)).status, 200);
    const after = await contentsOf(api.driver);
    const files = Object.keys(after).filter((path) => !(path in before) && after[path] !== "folder");
    assert.equal(files.length, 2, `${files}`);
    await unchanged(api, () => pull(api, TAG));
    const { status, body } = await api.send("GET", `/v2/${NAME}/blobs/${EMPTY_LAYER}`);
    assert.equal(status, 200);
    assert.equal(digestOf(body), EMPTY_LAYER);
    assert.ok(gunzipSync(body).every((byte) => byte === 0));
  });

  test("is converted at the same time for many, with the layer there for each", async () => {
    await using api = await open({ schema1: true });
    await pushSchema2(api);
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        const { headers } = await pull(api, TAG);
        assert.equal(headers["docker-content-digest"], OBSERVED.digest);
        assert.equal((await api.send("HEAD", `/v2/${NAME}/blobs/${EMPTY_LAYER}`)).status, 200);
      }),
    );
  });

  test("stores nothing where every step made a layer", async () => {
    await using api = await open({ schema1: true });
    await pushSchema2(api, { config: configOf([{}]) });
    const { body } = await unchanged(api, () => pull(api, TAG));
    const { fsLayers } = JSON.parse(body.toString());
    assert.deepEqual(fsLayers, [{ blobSum: digestOf(OBSERVED.layer) }]);
  });

  test("can be pushed as it was converted", async () => {
    await using api = await open({ schema1: true });
    await pushSchema2(api);
    const { body } = await pull(api, TAG);
    const headers = { "Content-Type": SIGNED };
    const answer = await api.send("PUT", `/v2/${NAME}/manifests/${TAG}`, { headers, body });
    assert.equal(answer.status, 201, answer.body.toString());
    assert.equal(answer.headers["docker-content-digest"], OBSERVED.digest);
    assert.deepEqual(verifiedPayload((await pull(api, OBSERVED.digest)).body), verifiedPayload(body));
  });

  test("of a list is that for linux/amd64", async () => {
    await using api = await open({ schema1: true });
    const other = await pushSchema2(api, { config: configOf([{}], "arm64"), reference: "arm" });
    const amd64 = await pushSchema2(api, { reference: "amd" });
    const list = await pushManifest(api, NAME, listOf([other, "arm64"], [amd64, "amd64"]), { reference: TAG });
    const { headers } = await pull(api, TAG);
    assert.equal(headers["docker-content-digest"], OBSERVED.digest);
    for (const [accept, digest] of [
      [`${SIGNED}, ${SCHEMA2}`, amd64.digest],
      [`${SIGNED}, ${LIST}`, list.digest],
      [`${SIGNED}, */*`, list.digest],
    ] as const) {
      const answer = await api.send("GET", `/v2/${NAME}/manifests/${TAG}`, { headers: { Accept: accept } });
      assert.equal(answer.headers["docker-content-digest"], digest);
    }
    await pushManifest(api, NAME, listOf([other, "arm64"]), { reference: TAG });
    expectError(await send(api, TAG), 404, "MANIFEST_UNKNOWN");
  });

  test("stays as it is by its digest, and for whoever takes it or says nothing", async () => {
    await using api = await open({ schema1: true });
    const { digest } = await pushSchema2(api);
    for (const [reference, accept] of [
      [digest, SIGNED],
      [TAG, `${SIGNED}, ${SCHEMA2}`],
      [TAG, `${SIGNED}, */*`],
      [TAG, "*/*"],
      [TAG, "application/json"],
      [TAG, undefined],
    ]) {
      const headers = accept === undefined ? {} : { Accept: accept };
      const answer = await unchanged(api, () => api.send("GET", `/v2/${NAME}/manifests/${reference}`, { headers }));
      assert.equal(answer.headers["docker-content-digest"], digest, `${accept}`);
      assert.equal(answer.headers["content-type"], SCHEMA2);
    }
  });

  test("stays as it is where schema 1 is not enabled, a list too", async () => {
    await using api = await open();
    const image = await pushSchema2(api);
    const list = await pushManifest(api, NAME, listOf([image, "amd64"]), { reference: "list" });
    for (const [reference, { digest }] of [
      [TAG, image],
      ["list", list],
    ] as const) {
      const answer = await unchanged(api, () => send(api, reference));
      assert.equal(answer.headers["docker-content-digest"], digest);
    }
  });

  test("of OCI stays as it is, and cannot be converted where a list of Docker names it", async () => {
    await using api = await open({ schema1: true });
    const image = await pushImage(api, NAME, { reference: TAG });
    assert.equal((await send(api, TAG)).headers["docker-content-digest"], image.digest);
    await pushManifest(api, NAME, listOf([image, "amd64"]), { reference: "list" });
    const detail = expectError(await send(api, "list"), 400, "MANIFEST_INVALID");
    assert.equal(detail, "what is tagged list cannot be converted to schema 1, and this client accepts nothing newer");
  });

  test("cannot be where its configuration is another one than such an image has", async () => {
    await using api = await open({ schema1: true });
    const many = configOf([{}, {}, {}]);
    for (const [config, reason] of [
      [Buffer.from("no JSON"), /must be a JSON object/],
      [Buffer.from('{"architecture":"amd64","os":"linux"}'), /speaks of 0 layers, the manifest of 1/],
      [configOf([]), /^empty history/],
      [many, /^too many non-empty layers/],
      [Buffer.concat([OBSERVED.config, Buffer.alloc(1024 * 1024, " ")]), /has 1048881 bytes: up to 1048576 can be/],
    ] as const) {
      await pushSchema2(api, { config });
      for (const method of ["GET", "HEAD"]) {
        const answer = await unchanged(api, () => send(api, TAG, method));
        assert.equal(answer.status, 400);
        if (method === "GET") assert.match(String(expectError(answer, 400, "MANIFEST_INVALID")), reason);
      }
    }
    const limit = Buffer.concat([OBSERVED.config, Buffer.alloc(1024 * 1024 - OBSERVED.config.length, " ")]);
    await pushSchema2(api, { config: limit });
    await pull(api, TAG);
  });

  test("cannot be where its configuration is missing or was cut off", async () => {
    await using api = await open({ schema1: true, faulty: true });
    const config = digestOf(OBSERVED.config);
    await pushSchema2(api);
    await api.driver.putContent(blobPath(config), OBSERVED.config.subarray(0, 100));
    expectError(await send(api, TAG), 400, "MANIFEST_INVALID");
    await api.driver.putContent(blobPath(config), Buffer.from(OBSERVED.config.toString().replace("linux", "minix")));
    const damaged = expectError(await send(api, TAG), 400, "MANIFEST_INVALID");
    assert.equal(damaged, `the configuration ${config} is damaged`);
    await api.driver.delete(blobPath(config));
    const missing = expectError(await send(api, TAG), 400, "MANIFEST_INVALID");
    assert.equal(missing, `the configuration ${config} is not here`);
    assert.equal((await api.send("GET", `/v2/${NAME}/manifests/${TAG}`)).status, 200);
  });

  test("cannot be where it would have more than 4 MiB", async () => {
    await using api = await open({ schema1: true });
    const created_by = "<".repeat(1_000_000);
    await pushSchema2(api, { config: configOf([{ created_by, empty_layer: true }, {}]) });
    const detail = expectError(await unchanged(api, () => send(api, TAG)), 400, "MANIFEST_INVALID");
    assert.equal(detail, "converted to schema 1 it would have more than 4194304 bytes");
  });

  test("cannot be in a registry that may not write, unless the layer it needs is there", async () => {
    await using writing = await open({ schema1: true });
    await pushSchema2(writing);
    await pushSchema2(writing, { config: configOf([{}]), reference: "whole" });
    await using reading = await startApi(writing.driver, { schema1: true, readOnly: true });
    const detail = expectError(await unchanged(writing, () => send(reading, TAG)), 400, "MANIFEST_INVALID");
    assert.equal(detail, `schema 1 needs the empty layer ${EMPTY_LAYER} here, and this registry is read-only`);
    await pull(reading, "whole");
    await pull(writing, TAG);
    const { headers } = await unchanged(writing, () => pull(reading, TAG));
    assert.equal(headers["docker-content-digest"], OBSERVED.digest);
  });

  test("is named by the repository and tag that were asked for", async () => {
    await using api = await open({ schema1: true });
    await pushSchema2(api);
    await pushSchema2(api, { reference: "other" });
    const [first, other] = await Promise.all([pull(api, TAG), pull(api, "other")]);
    assert.notEqual(first.headers["docker-content-digest"], other.headers["docker-content-digest"]);
    const { name, tag } = JSON.parse(other.body.toString());
    assert.deepEqual([name, tag], [NAME, "other"]);
  });
});

interface Schema2Parts {
  readonly config?: Buffer;
  readonly reference?: string;
}

/** By default the image of {@link OBSERVED}. */
async function pushSchema2(
  api: Api,
  { config = OBSERVED.config, reference = TAG }: Schema2Parts = {},
): Promise<Pushed> {
  const descriptor = async (mediaType: string, bytes: Buffer): Promise<Document> => {
    const digest: Digest = await pushBlob(api, NAME, bytes);
    return { mediaType, size: bytes.length, digest };
  };
  const document = {
    schemaVersion: 2,
    mediaType: SCHEMA2,
    config: await descriptor(MediaType.dockerConfig, config),
    layers: [await descriptor("application/vnd.docker.image.rootfs.diff.tar.gzip", OBSERVED.layer)],
  };
  return await pushManifest(api, NAME, document, { reference });
}

function configOf(history: readonly object[], architecture = "amd64"): Buffer {
  const rootfs = { type: "layers", diff_ids: [`sha256:${"1".repeat(64)}`] };
  return Buffer.from(JSON.stringify({ architecture, os: "linux", rootfs, history }));
}

function listOf(...images: readonly (readonly [Pushed, architecture: string])[]): Document {
  const manifests = images.map(([image, architecture]) => ({
    ...descriptorOf(image),
    platform: { os: "linux", architecture },
  }));
  return { schemaVersion: 2, mediaType: LIST, manifests };
}

async function send(api: Api, reference: string, method = "GET", accept: string = SIGNED): Promise<Answer> {
  return await api.send(method, `/v2/${NAME}/manifests/${reference}`, { headers: { Accept: accept } });
}

async function pull(api: Api, reference: string, accept?: string): Promise<Answer> {
  const answer = await send(api, reference, "GET", accept);
  assert.equal(answer.status, 200, answer.body.toString());
  assert.equal(answer.headers["content-type"], SIGNED);
  return answer;
}
