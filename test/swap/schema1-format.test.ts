import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { type Digest, digestOf } from "../../src/oci/digest.ts";
import { MediaType } from "../../src/oci/media-types.ts";
import type { RepositoryName, Tag } from "../../src/oci/names.ts";
import { EMPTY_LAYER, toSchema1 } from "../../src/oci/schema1/conversion.ts";
import { signPayload } from "../../src/oci/schema1/jws.ts";
import { printSignedDocument } from "../../src/oci/schema1/signed-document.ts";
import { makeSigningKey, parseSigningKey, type SigningKey } from "../../src/oci/schema1/signing-key.ts";
import { unlessDebian } from "../setup.ts";
import type { Content } from "../support/image.ts";
import {
  ecSigner,
  fingerprintOf,
  rsaSigner,
  type Signer,
  schema1Fields,
  signedFixture,
} from "../support/schema1-fixture.ts";
import { parseSignedManifest, type SignedManifest } from "../support/schema1-manifest.ts";
import { openRegistry, type RunningRegistry } from "../support/swap.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";

const CONFIGURATION = { compatibility: { schema1: { enabled: true } } };
const NOW = new Date("2015-04-16T21:17:38.123Z");
const LAYERS = ["the first layer", "the second layer"].map((text) => contentOf(Buffer.from(text), "any"));

describe("schema 1 manifests between our formats and Debian's docker-registry", {
  skip: unlessDebian("docker-registry"),
}, () => {
  let folder: TemporaryFolder;
  let debian: RunningRegistry;
  before(async () => {
    folder = await temporaryFolder("schema1");
    debian = await openRegistry("docker-registry", folder.join("data"), CONFIGURATION);
    for (const layer of LAYERS) await debian.http.pushBlob("old/image", layer);
  });
  after(async () => {
    await debian[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  const keys: Readonly<Record<string, () => SigningKey>> = {
    "a new key": makeSigningKey,
    "P-384": () => signingKeyOf(ecSigner("ES384")),
    "P-521": () => signingKeyOf(ecSigner("ES512")),
    RSA: () => signingKeyOf(rsaSigner()),
  };
  for (const [name, makeKey] of Object.entries(keys)) {
    test(`what we sign with ${name} is taken, and what is served of it holds for us over the same payload`, async () => {
      const payload = payloadOf({ tag: "signed" }, "   ");
      const document = printSignedDocument(payload, [await signPayload(payload, makeKey(), NOW)]);
      assert.equal((await put(document, "signed")).status, 201);
      const served = await get("signed");
      assert.deepEqual(Buffer.from(served.manifest.bytes), payload);
      assert.equal(served.digest, digestOf(payload));
    });
  }

  for (const [shape, indent] of [
    ["on one line", undefined],
    ["indented by a tab", "\t"],
    ["indented by two blanks", "  "],
  ] as const) {
    test(`a payload ${shape} is signed by both and served as it was`, async () => {
      const payload = payloadOf({ tag: "shape" }, indent);
      const signatures = [
        await signPayload(payload, makeSigningKey(), NOW),
        await signPayload(payload, makeSigningKey(), NOW),
      ] as const;
      assert.equal((await put(printSignedDocument(payload, signatures), "shape")).status, 201);
      const { manifest, body } = await get("shape");
      assert.deepEqual(Buffer.from(manifest.bytes), payload);
      assert.deepEqual(Buffer.from(printSignedDocument(manifest.bytes, manifest.signatures)), body);
    });
  }

  test("a fixture's manifest, which neither of us made, is taken by both", async () => {
    const signers = [ecSigner(), ecSigner("ES384"), ecSigner("ES512"), rsaSigner("RS256")];
    const { document, payload } = signedFixture(fields({ tag: "fixture" }), signers, { indent: "   " });
    assert.equal((await put(document, "fixture")).status, 201);
    assert.equal((await parseSignedManifest(document)).signatures.length, 4);
    assert.deepEqual(Buffer.from((await get("fixture")).manifest.bytes), payload);
  });

  test("what is corrupt is refused by both", async () => {
    const { document } = signedFixture(fields({ tag: "corrupt" }), [ecSigner()], { indent: "   " });
    const corrupt = Buffer.from(document.toString().replace('"amd64"', '"arm64"'));
    assert.equal((await put(corrupt, "corrupt")).status, 400);
    await assert.rejects(parseSignedManifest(corrupt), { code: "MANIFEST_UNVERIFIED" });
  });

  for (const [name, config] of Object.entries(configurations())) {
    test(`an image of schema 2 becomes the same schema 1 document: ${name}`, async () => {
      const repository = "converted/image" as RepositoryName;
      const tag = name.replaceAll(/[^a-z]/g, "-") as Tag;
      const manifest = manifestOf(config.bytes, config.layers);
      for (const blob of [...LAYERS, contentOf(config.bytes, MediaType.dockerConfig)]) {
        await debian.http.pushBlob(repository, blob);
      }
      await debian.http.putManifest(repository, tag, manifest);
      const ours = toSchema1({ layers: config.layers.map((layer) => layer.descriptor) }, config.bytes, repository, tag);
      const theirs = await get(tag, repository);
      assert.equal(Buffer.from(theirs.manifest.bytes).toString(), Buffer.from(ours.payload).toString());
      assert.equal(theirs.digest, ours.digest);
      assert.equal(await debian.http.statusOf(repository, "blobs", EMPTY_LAYER.digest), 200);
    });
  }

  for (const [file, text] of Object.entries(keyFiles())) {
    test(`both sign with the same key, written in the same way, when given ${file}`, async () => {
      const path = folder.join(file);
      await writeFile(path, text);
      const { publicKey } = parseSigningKey(text);
      const schema1 = { enabled: true, signingkeyfile: path };
      await using other = await openRegistry("docker-registry", folder.join("data"), { compatibility: { schema1 } });
      const { document } = signedFixture(fields({ tag: "key-file" }), [ecSigner()], { indent: "   " });
      assert.equal((await put(document, "key-file")).status, 201);
      const answer = await other.http.getManifest("old/image", "key-file", MediaType.dockerSchema1Signed);
      const { signatures } = await parseSignedManifest(await answer.bytes());
      assert.deepEqual(
        signatures.map(({ header }) => JSON.stringify(header)),
        [JSON.stringify({ jwk: publicKey.jwk, alg: publicKey.algorithms[0] })],
      );
    });
  }

  const put = async (document: Uint8Array, tag: string): Promise<Response> =>
    await debian.http.request(`old/image/manifests/${tag}`, {
      method: "PUT",
      body: Buffer.from(document),
      headers: { "Content-Type": MediaType.dockerSchema1Signed },
    });

  const get = async (tag: string, repository = "old/image"): Promise<Served> => {
    const answer = await debian.http.getManifest(repository, tag, MediaType.dockerSchema1Signed);
    const body = Buffer.from(await answer.bytes());
    assert.equal(answer.status, 200, body.toString());
    assert.equal(answer.headers.get("Content-Type"), MediaType.dockerSchema1Signed);
    const manifest = await parseSignedManifest(body);
    return { body, manifest, digest: answer.headers.get("Docker-Content-Digest") };
  };
});

interface Served {
  readonly body: Buffer;
  readonly manifest: SignedManifest;
  readonly digest: string | null;
}

interface Configuration {
  readonly bytes: Buffer;
  readonly layers: readonly Content[];
}

/** By name; the old registry tells their kind by it. */
function keyFiles(): Readonly<Record<string, string>> {
  const [p256, p384, rsa] = [ecSigner(), ecSigner("ES384"), rsaSigner()];
  const pem = p256.privateKey.export({ format: "pem", type: "sec1" }) as string;
  return {
    "p256.json": JSON.stringify({ ...p256.privateKey.export({ format: "jwk" }), kid: fingerprintOf(p256.publicKey) }),
    "p384.jwk": JSON.stringify(p384.privateKey.export({ format: "jwk" })),
    "rsa.json": JSON.stringify(rsa.privateKey.export({ format: "jwk" })),
    "hosts.json": JSON.stringify({
      ...p256.privateKey.export({ format: "jwk" }),
      hosts: ["a.example", "b.example"],
      note: 1,
    }),
    "p256.pem": pem,
    "hosts.pem": pem.replace("-----\n", "-----\nhosts: a.example,b.example\nnote: of a test <&>\n\n"),
    "rsa.pem": rsa.privateKey.export({ format: "pem", type: "pkcs1" }) as string,
  };
}

/** Texts, so that each says exactly what it says. */
function configurations(): Readonly<Record<string, Configuration>> {
  const steps = '{"created":"2020-01-01T00:00:00Z","created_by":"x","empty_layer":true}';
  const made = '{"created":"2020-01-01T00:00:01Z","created_by":"y"}';
  return {
    plain: configOf(`"architecture":"amd64","os":"linux","history":[${steps},${made}]`),
    "white space": configOf(
      ` "os" :\t"linux" ,\n "config" : { "Env" : [ "A= 1 2" , "" ] , "x":[ ] } , "history":[${steps},${made}]`,
    ),
    "numbers that no double holds": configOf(
      `"a":1e400,"b":123456789012345678901234567890,"c":-0.0,"d":[1.0,1E5],"history":[${steps},${made}]`,
    ),
    "keys in their order": configOf(
      `"z":{"b":1,"a":2,"10":3,"9":4},"2":1,"10":2,"Z":3,"é":4,"\u{1f600}":5,"\uffee":6,"<k>":7,"history":[${steps},${made}]`,
    ),
    "duplicate keys": configOf(`"a":1,"a":{"b":1,"b":2},"history":[${steps},${made}]`),
    "html and separators": configOf(
      `"a":"<&>\u2028\u2029\\u003c\\/\\u00e9é","history":[{"created":"2020-01-01T00:00:00Z","created_by":"a && b > \u2028<c>","comment":"\\u0000\\b\\f\\n\\r\\t\\u007f\\\\b\\"","author":"\\ud800é\\\\","empty_layer":true},${made}]`,
    ),
    "own ids": configOf(`"id":"own","parent":"own","throwaway":false,"history":[${steps},${made}]`),
    times: configOf(
      `"history":[${["2020-01-01T00:00:00.120Z", "2020-01-01T00:00:00+00:00", "2020-01-01T00:00:00-00:00", "2020-02-29T23:59:59.1234567891+02:00", "0001-01-01T00:00:00Z"].map((time) => `{"created":"${time}","empty_layer":true}`).join(",")},{"created":null,"empty_layer":true},{"empty_layer":true},null]`,
    ),
    "an empty step on top": configOf(`"history":[${made},${steps}]`),
    "a single step": configOf(`"history":[${made}]`),
    "two layers": configOf(`"history":[${steps},${made},${steps},${made},${steps}]`, 2),
    windows: configOf(`"os":"windows","history":[${steps},${made},${steps}]`, 1, ',"base_layer":"sha256:b"'),
    "windows of one step": configOf(`"os":"windows","history":[${made}]`, 1, ',"base_layer":"sha256:b"'),
    "fields of null": configOf(
      `"architecture":null,"config":null,"a":[null,{"b":null}],"history":[{"created":"2020-01-01T00:00:00Z","author":null,"comment":null,"created_by":null,"empty_layer":null}]`,
    ),
  };
}

function configOf(members: string, layers = 1, rootfs = ""): Configuration {
  const diffIds = LAYERS.slice(0, layers).map((_, index) => `"sha256:${String(index).repeat(64)}"`);
  const text = `{${members},"rootfs":{"type":"layers","diff_ids":[${diffIds.join(",")}]${rootfs}}}`;
  return { bytes: Buffer.from(text), layers: LAYERS.slice(0, layers) };
}

function manifestOf(config: Buffer, layers: readonly Content[]): Content {
  const fields = {
    schemaVersion: 2,
    mediaType: MediaType.dockerManifest,
    config: contentOf(config, MediaType.dockerConfig).descriptor,
    layers: layers.map(({ descriptor }) => ({
      ...descriptor,
      mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip",
    })),
  };
  return contentOf(Buffer.from(JSON.stringify(fields)), MediaType.dockerManifest);
}

function contentOf(bytes: Buffer, mediaType: string): Content {
  return { bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length } };
}

function fields(over: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const sums: readonly Digest[] = LAYERS.map((layer) => layer.descriptor.digest);
  return schema1Fields({ name: "old/image", fsLayers: sums.map((blobSum) => ({ blobSum })), ...over });
}

function payloadOf(over: Readonly<Record<string, unknown>>, indent?: string): Buffer {
  return Buffer.from(JSON.stringify(fields(over), null, indent));
}

function signingKeyOf({ privateKey }: Signer): SigningKey {
  return parseSigningKey(privateKey.export({ format: "pem", type: "pkcs8" }) as string);
}
