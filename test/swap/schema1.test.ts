import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { stringify } from "yaml";
import { digestOf } from "../../src/oci/digest.ts";
import { MediaType } from "../../src/oci/media-types.ts";
import { openFilesystem } from "../../src/storage/filesystem.ts";
import { unlessDebian } from "../setup.ts";
import { ContainerTools } from "../support/container-tools.ts";
import { contentOf } from "../support/image.ts";
import type { RegistryClient } from "../support/registry-client.ts";
import { registryConfiguration } from "../support/registry-process.ts";
import { run } from "../support/run.ts";
import { makeSamples, type Samples } from "../support/samples.ts";
import {
  ecSigner,
  type FixtureSignature,
  fingerprintOf,
  rsaSigner,
  type SignedFixture,
  schema1Fields,
  signedFixture,
  verifiedPayload,
} from "../support/schema1-fixture.ts";
import { OBSERVED } from "../support/schema1-observed.ts";
import { layDownSchema1 } from "../support/schema1-stored.ts";
import { DIRECTIONS, openRegistry, type RunningRegistry } from "../support/swap.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";

const CONFIGURATION = { compatibility: { schema1: { enabled: true } } };
const EMPTY_LAYER = "sha256:a3ed95caeb02ffe68cdd9fd84406680ae93d633cb16422d00e8a7c22955b46d4";
const LAYERS = ["of 2015, the second", "of 2015, the first"].map((text) => contentOf(Buffer.from(text), "any"));
const KINDS = ["wharfinger", "docker-registry"] as const;
const [P256, RSA] = [ecSigner(), rsaSigner()];

describe("images of schema 1 in one directory, one registry after the other", {
  skip: unlessDebian("docker-registry", "skopeo", "umoci"),
}, () => {
  let folder: TemporaryFolder;
  let samples: Samples;
  let tools: ContainerTools;
  before(async () => {
    folder = await temporaryFolder("swap-schema1");
    samples = await makeSamples(folder.path);
    tools = await ContainerTools.create(folder);
  });
  after(() => folder[Symbol.asyncDispose]());

  for (const [first, second] of DIRECTIONS) {
    test(`what is pushed to ${first} is pulled from ${second} under the same digest, and back`, async () => {
      const directory = folder.join(`pushed-${first}`);
      const [one, two] = [imageOf("one"), imageOf("two")];
      const served = new Map<string, Served>();
      const expectAll = async (registry: RunningRegistry): Promise<void> => {
        for (const [name, { payload, digest }] of served) {
          assert.deepEqual(await pull(registry, name), { payload, digest });
          assert.deepEqual(await pull(registry, name, digest), { payload, digest });
        }
      };
      await withSchema1(first, directory, async (registry) => {
        await push(registry, "library/old", "one", one);
        await pushBySkopeo(registry, "by/skopeo", "old");
        for (const name of ["library/old:one", "by/skopeo:old"]) served.set(name, await pull(registry, name));
        assert.deepEqual(served.get("library/old:one"), { payload: one.payload, digest: digestOf(one.payload) });
      });
      await withSchema1(second, directory, async (registry) => {
        await expectAll(registry);
        assert.deepEqual(await tools.pullAndUnpack(`${registry.process.host}/by/skopeo:old`), samples.files);
        await push(registry, "library/old", "two", two);
        served.set("library/old:two", await pull(registry, "library/old:two"));
        const { body } = await send(registry, "library/old", "one");
        await put(registry, "library/old", "one", body); // as it was served here, signed by this registry
      });
      await withSchema1(first, directory, async (registry) => {
        await expectAll(registry);
        assert.deepEqual(await registry.http.tags("library/old"), ["one", "two"]);
        assert.deepEqual(await registry.http.catalog(), ["by/skopeo", "library/old"]);
        await registry.http.delete("library/old", "manifests", digestOf(one.payload));
      });
      await withSchema1(second, directory, async (registry) => {
        assert.equal((await send(registry, "library/old", "one")).status, 404);
        assert.deepEqual(await registry.http.tags("library/old"), ["two"]);
      });
    });
  }

  test("an image of schema 2 is told by both under the same digest, and either's can be pushed to the other", async () => {
    const directory = folder.join("told");
    const told: Served[] = [];
    for (const kind of [...KINDS, ...KINDS]) {
      await withSchema1(kind, directory, async (registry) => {
        await registry.http.push("team/app", "v2", samples.docker);
        await registry.http.push("team/app", "list", samples.dockerList);
        told.push(await pull(registry, "team/app:v2"));
        const list = await pull(registry, "team/app:list");
        assert.equal(JSON.parse(list.payload.toString()).architecture, "amd64");
        const { body } = await send(registry, "team/app", "v2");
        await put(registry, "team/app", "v2", body);
        assert.deepEqual(await pull(registry, "team/app:v2"), told[0]);
        assert.deepEqual(await tools.pullAndUnpack(`${registry.process.host}/team/app:v2`), samples.files);
      });
    }
    for (const one of told) assert.deepEqual(one, told[0]);
  });

  test("skopeo copies an image as schema 1 from us into a folder, and back to us", async () => {
    await withSchema1("wharfinger", folder.join("skopeo"), async (registry) => {
      await registry.http.push("team/app", "v2", samples.docker);
      const at = (tag: string): string => `docker://${registry.process.host}/team/app:${tag}`;
      await tools.skopeo("copy", "--format", "v2s1", at("v2"), at("old"));
      await tools.skopeo("copy", at("old"), `dir:${folder.join("copied")}`);
      const manifest = await readFile(folder.join("copied/manifest.json"));
      const { payload } = await pull(registry, "team/app:old");
      assert.deepEqual(verifiedPayload(manifest), payload);
      for (const { descriptor, bytes } of samples.docker.blobs.slice(1)) {
        const copied = await readFile(folder.join("copied", descriptor.digest.slice("sha256:".length)));
        assert.deepEqual(copied, Buffer.from(bytes));
      }
      await tools.skopeo("copy", "--format", "v2s2", at("old"), at("new"));
      assert.deepEqual(await tools.pullAndUnpack(`${registry.process.host}/team/app:new`), samples.files);
    });
  });

  for (const flags of [[], ["--delete-untagged"]] as const) {
    test(`the old registry's collector keeps every image${flags.map((flag) => ` with ${flag}`).join("")}`, async () => {
      const directory = folder.join(`collected${flags}`);
      const [image, replaced] = [imageOf("v1"), imageOf("v1", "arm")];
      const before = new Map<string, Served>();
      await withSchema1("wharfinger", directory, async (registry) => {
        await push(registry, "library/old", "v1", replaced);
        await push(registry, "library/old", "v1", image);
        await pushBySkopeo(registry, "by/skopeo", "old");
        await pushObserved(registry.http);
        for (const name of ["library/old:v1", "by/skopeo:old", "n/one:t"]) before.set(name, await pull(registry, name));
        assert.equal(await registry.http.statusOf("n/one", "blobs", EMPTY_LAYER), 200);
      });
      const configuration = folder.join("collector.yml");
      await writeFile(configuration, stringify(registryConfiguration(directory, 0, CONFIGURATION)));
      await run("docker-registry", ["garbage-collect", ...flags, configuration]);
      for (const kind of KINDS) {
        await withSchema1(kind, directory, async (registry) => {
          for (const [name, served] of before) assert.deepEqual(await pull(registry, name), served);
          for (const layer of LAYERS) await registry.http.expectBlob("library/old", layer);
          assert.deepEqual(await tools.pullAndUnpack(`${registry.process.host}/by/skopeo:old`), samples.files);
          assert.equal(
            await registry.http.statusOf("n/one", "blobs", EMPTY_LAYER),
            200,
            "collected, and provided again",
          );
          const { status } = await send(registry, "library/old", digestOf(replaced.payload));
          assert.equal(status, flags.length > 0 ? 404 : 200);
        });
      }
    });
  }

  test("signatures of 2015 are served by us, in the way of nothing in the old registry, and go with its collector", async () => {
    const directory = folder.join("signatures");
    const { payload, signatures } = imageOf("v1");
    await withSchema1("wharfinger", directory, async ({ http }) => {
      for (const layer of LAYERS) await http.pushBlob("library/old", layer);
    });
    await using driver = await openFilesystem({ rootdirectory: directory });
    const stored = signatures.map((one) => Buffer.from(JSON.stringify(one)));
    const image = { repository: "library/old", tag: "v1", payload, signatures: stored };
    const digest = await layDownSchema1(driver, image);
    const own = [P256, RSA].map(({ publicKey }) => fingerprintOf(publicKey)).sort();
    for (const kind of KINDS) {
      await withSchema1(kind, directory, async (registry) => {
        assert.deepEqual(await pull(registry, "library/old:v1"), { payload, digest });
        assert.deepEqual(await registry.http.tags("library/old"), ["v1"]);
        const keys = keysOf((await send(registry, "library/old", "v1")).body);
        if (kind === "wharfinger") assert.deepEqual(keys, own);
        else assert.ok(keys.every((key) => !own.includes(key)));
      });
    }
    const configuration = folder.join("signatures.yml");
    await writeFile(configuration, stringify(registryConfiguration(directory, 0, CONFIGURATION)));
    await run("docker-registry", ["garbage-collect", configuration]);
    for (const kind of KINDS) {
      await withSchema1(kind, directory, async (registry) => {
        assert.deepEqual(await pull(registry, "library/old:v1"), { payload, digest });
        assert.ok(keysOf((await send(registry, "library/old", "v1")).body).every((key) => !own.includes(key)));
        for (const layer of LAYERS) await registry.http.expectBlob("library/old", layer);
      });
    }
    await withSchema1("docker-registry", directory, ({ http }) => http.delete("library/old", "manifests", digest));
    await withSchema1("wharfinger", directory, async (registry) => {
      assert.equal((await send(registry, "library/old", "v1")).status, 404);
      await push(registry, "library/old", "v1", imageOf("v1"));
      assert.deepEqual(await pull(registry, "library/old:v1"), { payload, digest });
    });
  });

  async function pushBySkopeo({ http, process }: RunningRegistry, repository: string, tag: string): Promise<void> {
    const at = `docker://${process.host}/${repository}`;
    await http.push(repository, "newer", samples.docker);
    await tools.skopeo("copy", "--format", "v2s1", `${at}:newer`, `${at}:${tag}`);
    await http.delete(repository, "manifests", samples.docker.manifest.descriptor.digest);
  }
});

/** The image of schema 2 that {@link OBSERVED} was told of; one of its steps made no layer. */
async function pushObserved(http: RegistryClient): Promise<void> {
  const config = contentOf(OBSERVED.config, MediaType.dockerConfig);
  const layer = contentOf(OBSERVED.layer, "application/vnd.docker.image.rootfs.diff.tar.gzip");
  const mediaType = MediaType.dockerManifest;
  const fields = { schemaVersion: 2, mediaType, config: config.descriptor, layers: [layer.descriptor] };
  const manifest = contentOf(Buffer.from(JSON.stringify(fields)), mediaType);
  await http.push(OBSERVED.repository, OBSERVED.tag, { manifest, blobs: [config, layer], children: [] });
}

interface Served {
  readonly payload: Buffer;
  readonly digest: string;
}

async function withSchema1(
  kind: RunningRegistry["kind"],
  directory: string,
  work: (registry: RunningRegistry) => Promise<void>,
): Promise<void> {
  await using registry = await openRegistry(kind, directory, CONFIGURATION);
  await work(registry);
}

/** Of {@link LAYERS}, signed by two who have nothing to do with either registry. */
function imageOf(tag: string, architecture = "amd64"): SignedFixture {
  const fsLayers = LAYERS.map(({ descriptor }) => ({ blobSum: descriptor.digest }));
  const fields = schema1Fields({ name: "library/old", tag, architecture, fsLayers });
  return signedFixture(fields, [P256, RSA], { indent: "   " });
}

async function push(registry: RunningRegistry, repository: string, tag: string, image: SignedFixture): Promise<void> {
  for (const layer of LAYERS) await registry.http.pushBlob(repository, layer);
  await put(registry, repository, tag, image.document);
}

async function put({ http }: RunningRegistry, repository: string, tag: string, document: Buffer): Promise<void> {
  const headers = { "Content-Type": MediaType.dockerSchema1Signed };
  const body = Buffer.from(document);
  const answer = await http.request(`${repository}/manifests/${tag}`, { method: "PUT", headers, body });
  assert.equal(answer.status, 201, await answer.text());
  assert.equal(answer.headers.get("Docker-Content-Digest"), digestOf(verifiedPayload(document)));
}

/** As a client that takes schema 1 alone. */
async function send({ http }: RunningRegistry, repository: string, reference: string): Promise<Answer> {
  const answer = await http.getManifest(repository, reference, MediaType.dockerSchema1Signed);
  const digest = answer.headers.get("Docker-Content-Digest");
  return { status: answer.status, digest, body: Buffer.from(await answer.bytes()) };
}

interface Answer {
  readonly status: number;
  readonly digest: string | null;
  readonly body: Buffer;
}

/** @param name `repository:tag`; a digest given beside goes before the tag */
async function pull(registry: RunningRegistry, name: string, reference?: string): Promise<Served> {
  const [repository = "", tag = ""] = name.split(":");
  const { status, digest, body } = await send(registry, repository, reference ?? tag);
  assert.equal(status, 200, body.toString());
  const payload = verifiedPayload(body);
  assert.equal(digest, digestOf(payload));
  return { payload, digest };
}

function keysOf(document: Buffer): readonly string[] {
  const { signatures } = JSON.parse(document.toString()) as { readonly signatures: readonly FixtureSignature[] };
  return signatures.map(({ header }) => String(header.jwk?.["kid"])).sort();
}
