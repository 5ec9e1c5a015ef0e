/** The same manifests with the same tokens against Debian's docker-registry and us, with `policy.repository.classes`. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import type { Descriptor } from "../../src/oci/descriptor.ts";
import { MediaType } from "../../src/oci/media-types.ts";
import { keyIdOf } from "../../src/oci/schema1/key-id.ts";
import { unlessDebian } from "../setup.ts";
import { AUTHORITY, issue } from "../support/certificates.ts";
import { contentOf, layerOfArchive, noise } from "../support/image.ts";
import { RegistryClient } from "../support/registry-client.ts";
import { type Configuration, type RegistryProcess, startRegistry } from "../support/registry-process.ts";
import { ecSigner, schema1Fields, signedFixture } from "../support/schema1-fixture.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { claimsOf, ISSUER, SERVICE, sign } from "../support/tokens.ts";

const REPOSITORY = "g/one";
const LAYER = layerOfArchive(noise(1000, 3));
const CONFIG = contentOf(Buffer.from('{"architecture":"amd64","os":"linux"}'), MediaType.dockerConfig);

interface Pushed {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

function manifest(mediaType: string, configType: string): Pushed {
  const config: Descriptor = { ...CONFIG.descriptor, mediaType: configType };
  const layerType =
    mediaType === MediaType.ociManifest ? MediaType.ociLayerGzip : "application/vnd.docker.image.rootfs.diff.tar.gzip";
  const layers = [{ ...LAYER.descriptor, mediaType: layerType }];
  return { mediaType, bytes: Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config, layers })) };
}

function index(mediaType: string): Pushed {
  return { mediaType, bytes: Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests: [] })) };
}

function schema1(): Pushed {
  const fields = schema1Fields({ name: REPOSITORY, tag: "v1", fsLayers: [{ blobSum: LAYER.descriptor.digest }] });
  const { document } = signedFixture({ ...fields, history: [{ v1Compatibility: '{"id":"1"}' }] }, [ecSigner()]);
  return { mediaType: MediaType.dockerSchema1Signed, bytes: document };
}

const MANIFESTS: Readonly<Record<string, Pushed>> = {
  "an image": manifest(MediaType.dockerManifest, MediaType.dockerConfig),
  "a plugin": manifest(MediaType.dockerManifest, MediaType.dockerPluginConfig),
  "a chart as Docker's": manifest(MediaType.dockerManifest, "application/vnd.cncf.helm.config.v1+json"),
  "an image of Docker's with OCI's config": manifest(MediaType.dockerManifest, MediaType.ociConfig),
  "an image of OCI": manifest(MediaType.ociManifest, MediaType.ociConfig),
  "an image of OCI with Docker's config": manifest(MediaType.ociManifest, MediaType.dockerConfig),
  "a plugin as OCI's": manifest(MediaType.ociManifest, MediaType.dockerPluginConfig),
  "an artifact": manifest(MediaType.ociManifest, "application/vnd.oci.empty.v1+json"),
  "a list": index(MediaType.dockerList),
  "an index": index(MediaType.ociIndex),
  "schema 1": schema1(),
};

describe("policy.repository.classes", { skip: unlessDebian("docker-registry") }, () => {
  const stack = new AsyncDisposableStack();
  let folder: TemporaryFolder;
  before(async () => {
    folder = stack.use(await temporaryFolder("classes"));
  });
  after(() => stack.disposeAsync());

  const startBoth = async (classes: readonly string[], more: Configuration): Promise<readonly RegistryProcess[]> => {
    const configuration = {
      policy: { repository: { classes } },
      compatibility: { schema1: { enabled: true } },
      ...more,
    };
    const started: RegistryProcess[] = [];
    for (const kind of ["docker-registry", "wharfinger"] as const) {
      const rootDirectory = folder.join(`${kind}-${classes.join("-")}`);
      started.push(stack.use(await startRegistry(kind, { rootDirectory, configuration })));
    }
    return started;
  };

  test("refuses other classes with docker-registry's words, before anything is written", async () => {
    const registries = await startBoth(["image"], {});
    const [theirs, ours] = await Promise.all(registries.map((registry) => pushAll(registry, undefined)));
    assert.deepEqual(ours, theirs);
    assert.deepEqual(ours, {
      "an image": 201,
      "a plugin": "registry does not allow plugin manifest",
      "a chart as Docker's": "unknown manifest class for application/vnd.cncf.helm.config.v1+json",
      "an image of Docker's with OCI's config": `unknown manifest class for ${MediaType.ociConfig}`,
      "an image of OCI": 201,
      "an image of OCI with Docker's config": `unknown manifest class for ${MediaType.dockerConfig}`,
      "a plugin as OCI's": `unknown manifest class for ${MediaType.dockerPluginConfig}`,
      "an artifact": "unknown manifest class for application/vnd.oci.empty.v1+json",
      "a list": 201,
      "an index": 201,
      "schema 1": 201,
    });
  });

  test("asks the token for the class as docker-registry does", async () => {
    const root = await issue(folder, "root", { extensions: [AUTHORITY] });
    await writeFile(folder.join("root.pem"), root.pem);
    const token = {
      realm: "https://auth.test/token",
      service: SERVICE,
      issuer: ISSUER,
      rootcertbundle: folder.join("root.pem"),
    };
    const registries = await startBoth(["image", "plugin"], { auth: { token } });
    const authorization = async (access: readonly object[]): Promise<string> =>
      `Bearer ${await sign(claimsOf(access as never), root, { kid: keyIdOf(root.certificate.publicKey) })}`;

    for (const [what, { access, otherwise }] of Object.entries(GRANTS)) {
      const sent = await authorization(access);
      const [theirs, ours] = await Promise.all(registries.map((registry) => pushAll(registry, sent)));
      if (otherwise === undefined) assert.deepEqual(ours, theirs, what);
      else assert.notDeepEqual(ours, theirs, `${what} is no longer different: ${otherwise}`);
      const { allowed } = GRANTS[what] ?? assert.fail();
      const answers = { image: ours?.["an image"], plugin: ours?.["a plugin"] };
      for (const one of ["image", "plugin"] as const) {
        const expected = allowed.includes(one) ? 201 : `repository not authorized for ${one} manifest`;
        assert.equal(answers[one], expected, `${what}: ${one}`);
      }
    }
  });
});

interface Granted {
  readonly access: readonly object[];
  readonly allowed: readonly ("image" | "plugin")[];
  /** Why docker-registry answers otherwise. */
  readonly otherwise?: string;
}

const ENTRY = { type: "repository", name: REPOSITORY, actions: ["pull", "push"] };

const GRANTS: Readonly<Record<string, Granted>> = {
  "no class": { access: [ENTRY], allowed: ["image"] },
  "no class, null": { access: [{ ...ENTRY, class: null }], allowed: ["image"] },
  "the empty class": { access: [{ ...ENTRY, class: "" }], allowed: ["image"] },
  "the class image": { access: [{ ...ENTRY, class: "image" }], allowed: ["image"] },
  "the class plugin": { access: [{ ...ENTRY, class: "plugin" }], allowed: ["plugin"] },
  "both classes": { access: [ENTRY, { ...ENTRY, class: "plugin" }], allowed: ["image", "plugin"] },
  "the class of another letter": { access: [{ ...ENTRY, class: "Plugin" }], allowed: [] },
  "another class": { access: [{ ...ENTRY, class: "model" }], allowed: [] },
  "every action": { access: [{ ...ENTRY, actions: ["*"], class: "plugin" }], allowed: ["plugin"] },
  "plugins, and another repository": {
    access: [
      { ...ENTRY, class: "plugin" },
      { ...ENTRY, name: "g/two" },
    ],
    allowed: ["plugin"],
  },
  "plugins, and what is called so but is no repository": {
    access: [
      { ...ENTRY, class: "plugin" },
      { ...ENTRY, type: "registry" },
    ],
    allowed: ["plugin"],
    otherwise: "it does not ask what is called so",
  },
};

/** @returns of each manifest the status where it is taken, else the words of the refusal */
async function pushAll(
  registry: RegistryProcess,
  authorization: string | undefined,
): Promise<Readonly<Record<string, unknown>>> {
  const headers = authorization === undefined ? {} : { authorization };
  const client = new RegistryClient(registry.url, (url, init) =>
    fetch(url, { ...init, headers: { ...headers, ...(init?.headers as Record<string, string>) } }),
  );
  for (const blob of [LAYER, CONFIG]) await client.pushBlob(REPOSITORY, blob);
  const answers: Record<string, unknown> = {};
  for (const [what, pushed] of Object.entries(MANIFESTS)) answers[what] = await push(client, pushed);
  return answers;
}

async function push(client: RegistryClient, { mediaType, bytes }: Pushed): Promise<unknown> {
  const tag = `${REPOSITORY}/manifests/v1`;
  const current = async (): Promise<string | null> =>
    (await client.request(tag, { headers: { Accept: mediaType } })).headers.get("Docker-Content-Digest");
  const before = await current();
  const init = { method: "PUT", body: new Uint8Array(bytes), headers: { "Content-Type": mediaType } };
  const answer = await client.request(tag, init);
  if (answer.status === 201) return 201;
  const body = (await answer.json()) as { readonly errors: readonly { readonly message: string }[] };
  assert.deepEqual([answer.status, body], [403, { errors: [{ code: "DENIED", message: body.errors[0]?.message }] }]);
  assert.equal(await current(), before, "the tag was moved");
  return body.errors[0]?.message;
}
