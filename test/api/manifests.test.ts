import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "../../src/oci/digest.ts";
import { MediaType } from "../../src/oci/media-types.ts";
import { parseRepositoryName } from "../../src/oci/names.ts";
import { PathMapper } from "../../src/registry/paths.ts";
import { registryContract } from "../contract/registry.ts";
import type { Answer, Api } from "../support/api.ts";
import {
  descriptorOf,
  expectError,
  indexOf,
  type Pushed,
  pushBlob,
  pushImage,
  pushManifest,
  unchanged,
} from "../support/api-content.ts";

const PATHS = new PathMapper();

registryContract("a manifest", (open) => {
  test("is answered byte for byte by tag and by digest, to GET and HEAD", async () => {
    await using api = await open();
    const image = await pushImage(api, "a/b", { reference: "v1", layers: [Buffer.from("layer")] });
    for (const reference of ["v1", image.digest]) {
      expectManifest(await api.send("GET", `/v2/a/b/manifests/${reference}`), image);
      const head = await api.send("HEAD", `/v2/a/b/manifests/${reference}`);
      assert.equal(head.body.length, 0);
      expectManifest({ ...head, body: image.bytes }, image);
    }
  });

  test("is served as its own type, whatever Accept names or does not name", async () => {
    await using api = await open();
    const image = await pushImage(api, "a", { reference: "image" });
    const index = await pushManifest(api, "a", indexOf([image]), { reference: "index" });
    const docker = await pushImage(api, "a", { reference: "docker", docker: true });
    const accepts = [undefined, "*/*", "application/*", "text/html", MediaType.dockerManifest, MediaType.ociIndex, ""];
    for (const [reference, expected] of Object.entries({ image, index, docker })) {
      for (const accept of accepts) {
        for (const target of [reference, expected.digest]) {
          const headers = accept === undefined ? {} : { Accept: accept };
          expectManifest(await api.send("GET", `/v2/a/manifests/${target}`, { headers }), expected);
        }
      }
    }
  });

  test("that is a Docker list gives its linux/amd64 image by tag to a client that knows images alone", async () => {
    await using api = await open();
    const { list, amd64 } = await pushDockerList(api);
    const cases: readonly (readonly [accept: string | string[] | undefined, Pushed])[] = [
      [MediaType.dockerManifest, amd64],
      [`text/html, ${MediaType.dockerManifest};q=0.1`, amd64],
      [["text/html", MediaType.dockerManifest], amd64],
      [undefined, list],
      ["*/*", list],
      [`${MediaType.dockerManifest}, */*`, list],
      [[MediaType.dockerManifest, MediaType.dockerList], list],
      [MediaType.dockerList, list],
      [MediaType.ociManifest, list],
    ];
    for (const [accept, expected] of cases) {
      const headers = accept === undefined ? {} : { Accept: accept };
      for (const method of ["GET", "HEAD"]) {
        const answer = await api.send(method, "/v2/a/manifests/list", { headers });
        assert.equal(answer.headers["docker-content-digest"], expected.digest, String(accept));
        assert.equal(answer.headers.etag, `"${expected.digest}"`);
        assert.equal(answer.headers["content-type"], expected.document["mediaType"]);
        assert.equal(answer.headers["content-length"], String(expected.bytes.length));
      }
      expectManifest(await api.send("GET", `/v2/a/manifests/${list.digest}`, { headers }), list);
    }
  });

  test("of a Docker list without an image for linux/amd64 is unknown to such a client", async () => {
    await using api = await open();
    const { arm64 } = await pushDockerList(api);
    const manifests = [{ ...descriptorOf(arm64), platform: { os: "linux", architecture: "arm64" } }];
    await pushManifest(api, "a", { ...DOCKER_LIST, manifests }, { reference: "arm" });
    const headers = { Accept: MediaType.dockerManifest };
    expectError(await api.send("GET", "/v2/a/manifests/arm", { headers }), 404, "MANIFEST_UNKNOWN");
  });

  test("is not sent again to a client that has it", async () => {
    await using api = await open();
    const image = await pushImage(api, "a", { reference: "t" });
    const other = `"sha256:${"0".repeat(64)}"`;
    const same = [`"${image.digest}"`, image.digest, `W/"${image.digest}"`, `${other} , "${image.digest}"`, "*"];
    for (const tags of same) {
      for (const [method, target] of [
        ["GET", "t"],
        ["HEAD", "t"],
        ["GET", image.digest],
      ] as const) {
        const answer = await api.send(method, `/v2/a/manifests/${target}`, { headers: { "If-None-Match": tags } });
        assert.equal(answer.status, 304, tags);
        assert.equal(answer.headers.etag, `"${image.digest}"`);
        assert.equal(answer.headers["docker-content-digest"], image.digest);
        assert.equal(answer.headers["content-type"], undefined);
        assert.equal(answer.body.length, 0);
      }
    }
    for (const tags of [other, "", '"t"', `"${image.digest}`]) {
      const headers = { "If-None-Match": tags };
      expectManifest(await api.send("GET", "/v2/a/manifests/t", { headers }), image);
    }
  });

  test("that is the child of a Docker list is compared by its own digest", async () => {
    await using api = await open();
    const { amd64 } = await pushDockerList(api);
    const headers = { Accept: MediaType.dockerManifest, "If-None-Match": `"${amd64.digest}"` };
    const answer = await api.send("GET", "/v2/a/manifests/list", { headers });
    assert.equal(answer.status, 304);
    assert.equal(answer.headers["docker-content-digest"], amd64.digest);
  });

  test("that does not exist is unknown, also under a condition and to HEAD", async () => {
    await using api = await open();
    const digest = `sha256:${"1".repeat(64)}`;
    await pushBlob(api, "a", Buffer.from("{}"));
    const blob = digestOf(Buffer.from("{}"));
    for (const [target, detail] of [
      ["a/manifests/none", "unknown tag=none"],
      ["none/manifests/none", "unknown tag=none"],
      [`a/manifests/${digest}`, `unknown manifest name=a revision=${digest}`],
      [`none/manifests/${digest}`, `unknown manifest name=none revision=${digest}`],
      [`a/manifests/${blob}`, `unknown manifest name=a revision=${blob}`],
    ] as const) {
      for (const headers of [{}, { "If-None-Match": "*" }, { Accept: "*/*" }]) {
        const answer = await api.send("GET", `/v2/${target}`, { headers });
        assert.equal(expectError(answer, 404, "MANIFEST_UNKNOWN"), detail);
        const head = await api.send("HEAD", `/v2/${target}`, { headers });
        assert.equal(head.status, 404);
        assert.equal(head.headers["content-length"], String(answer.body.length));
      }
    }
  });

  test("has no reference that holds a colon and is no digest", async () => {
    await using api = await open();
    const references = [
      "sha256:baddigeststring",
      "sha256:",
      ":",
      `sha256:${"A".repeat(64)}`,
      `md5:${"a".repeat(32)}`,
      `sha512:${"a".repeat(64)}`,
      "tag:sha256",
      `sha256:${"a".repeat(5000)}`,
      `sha256:${"a".repeat(64)}%00`.replace("%00", "%20"),
    ];
    for (const reference of references) {
      for (const method of ["GET", "PUT", "DELETE"]) {
        const body = { body: "{}" };
        const target = `/v2/a/manifests/${reference}`;
        const answer = await unchanged(api, () => api.send(method, target, method === "PUT" ? body : {}));
        expectError(answer, 400, "DIGEST_INVALID");
      }
      assert.equal((await api.send("HEAD", `/v2/a/manifests/${reference}`)).status, 400);
    }
  });

  test("by sha512 is pushed and pulled under that digest", async () => {
    await using api = await open();
    const image = await pushImage(api, "a", { algorithm: "sha512", layers: [Buffer.from("x")] });
    assert.match(image.digest, /^sha512:/);
    expectManifest(await api.send("GET", `/v2/a/manifests/${image.digest}`), image);
    await pushManifest(api, "a", indexOf([image]), { algorithm: "sha512" });
  });

  test("that a peer stored under an alias is served under it", async () => {
    await using api = await open();
    const image = await pushImage(api, "a");
    const alias = digestOf(image.bytes, "sha512");
    await api.driver.putContent(PATHS.revisionLink(parseRepositoryName("a"), alias), Buffer.from(`${image.digest}\n`));
    const answer = await api.send("GET", `/v2/a/manifests/${alias}`);
    assert.deepEqual(answer.body, image.bytes);
    assert.equal(answer.headers["docker-content-digest"], alias);
  });

  for (const [what, damage, status, code] of [
    ["shortened", Buffer.from("{}"), 500, "UNKNOWN"],
    ["made too long", Buffer.alloc(5 * 1024 * 1024), 500, "UNKNOWN"],
    ["overwritten", Buffer.alloc(300), 500, "UNKNOWN"],
    ["lost", undefined, 404, "MANIFEST_UNKNOWN"],
  ] as const) {
    test(`whose bytes were ${what} before anybody read it is not served, and a push mends it`, async () => {
      await using api = await open({ faulty: true });
      const image = await pushImage(api, "a", { reference: "t" });
      const path = PATHS.blob(image.digest);
      await (damage ? api.driver.putContent(path, damage) : api.driver.delete(path));
      for (const target of ["t", image.digest]) {
        expectError(await api.send("GET", `/v2/a/manifests/${target}`), status, code);
      }
      await pushManifest(api, "a", image.document);
      expectManifest(await api.send("GET", "/v2/a/manifests/t"), image);
    });
  }

  test("whose bytes were damaged after it was read is served as it was", async () => {
    await using api = await open();
    const image = await pushImage(api, "a", { reference: "t" });
    expectManifest(await api.send("GET", "/v2/a/manifests/t"), image);
    await api.driver.putContent(PATHS.blob(image.digest), Buffer.from("{}"));
    expectManifest(await api.send("GET", `/v2/a/manifests/${image.digest}`), image);
  });

  test("of a repository with upper case that a peer made can be read, and none can be made", async () => {
    await using api = await open();
    const image = await pushImage(api, "foo/bar", { reference: "t" });
    for (const [path, hash] of [
      ["_manifests/tags/t/current/link", image.digest],
      [`_manifests/revisions/sha256/${image.digest.slice(7)}/link`, image.digest],
    ] as const) {
      await api.driver.putContent(`/docker/registry/v2/repositories/Foo/bar/${path}`, Buffer.from(hash));
    }
    expectManifest(await api.send("GET", "/v2/Foo/bar/manifests/t"), image);
    const refused = await unchanged(api, () =>
      api.send("PUT", "/v2/Foo/bar/manifests/u", {
        body: image.bytes,
        headers: { "Content-Type": MediaType.ociManifest },
      }),
    );
    expectError(refused, 400, "NAME_INVALID");
    expectError(await api.send("POST", "/v2/Foo/bar/blobs/uploads/"), 400, "NAME_INVALID");
    expectError(await api.send("GET", "/v2/Foo/tags/list"), 400, "NAME_INVALID");
  });
});

const DOCKER_LIST = { schemaVersion: 2, mediaType: MediaType.dockerList };

/** Tagged `list`, with an image for linux/arm64 before one for linux/amd64. */
async function pushDockerList(api: Api): Promise<{ list: Pushed; amd64: Pushed; arm64: Pushed }> {
  const amd64 = await pushImage(api, "a", { docker: true });
  const arm64 = await pushImage(api, "a", { docker: true, layers: [Buffer.from("arm")] });
  const manifests = [
    { ...descriptorOf(arm64), platform: { os: "linux", architecture: "arm64" } },
    { ...descriptorOf(amd64), platform: { os: "linux", architecture: "amd64" } },
  ];
  const list = await pushManifest(api, "a", { ...DOCKER_LIST, manifests }, { reference: "list" });
  return { list, amd64, arm64 };
}

function expectManifest(answer: Answer, { digest, bytes, document }: Pushed): void {
  assert.equal(answer.status, 200, answer.body.toString());
  assert.deepEqual(answer.body, bytes);
  const { headers } = answer;
  assert.equal(headers["content-type"], document["mediaType"]);
  assert.equal(headers["content-length"], String(bytes.length));
  assert.equal(headers["docker-content-digest"], digest);
  assert.equal(headers.etag, `"${digest}"`);
  assert.equal(headers["docker-distribution-api-version"], "registry/2.0");
}
