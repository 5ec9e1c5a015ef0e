import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "../../src/oci/digest.ts";
import { MediaType } from "../../src/oci/media-types.ts";
import { registryContract } from "../contract/registry.ts";
import { type Answer, type Api, startApi } from "../support/api.ts";
import {
  descriptorOf,
  errorsOf,
  expectError,
  imageDocument,
  indexOf,
  json,
  pushBlob,
  pushImage,
  pushManifest,
  putManifest,
  unchanged,
} from "../support/api-content.ts";
import { countingDriver } from "../support/counting-driver.ts";

const LIMIT = 4 * 1024 * 1024;
const MISSING = `sha256:${"d".repeat(64)}`;

registryContract("pushing a manifest", (open) => {
  test("answers with where it is by digest and with the digest", async () => {
    await using api = await open();
    const document = await imageDocument(api, "a/b");
    const bytes = Buffer.from(JSON.stringify(document));
    const digest = digestOf(bytes);
    for (const reference of ["tag", digest, "tag"]) {
      const answer = await putManifest(api, "a/b", reference, bytes, MediaType.ociManifest);
      assert.equal(answer.status, 201);
      assert.equal(answer.headers.location, `${api.origin}/v2/a/b/manifests/${digest}`);
      assert.equal(answer.headers["docker-content-digest"], digest);
      assert.equal(answer.headers["content-length"], "0");
      assert.equal(answer.headers["oci-subject"], undefined);
      assert.equal(answer.headers["oci-tag"], undefined);
      assert.equal(answer.headers.warning, undefined);
      assert.equal(answer.body.length, 0);
    }
    assert.deepEqual((await api.send("GET", "/v2/a/b/manifests/tag")).body, bytes);
  });

  test("keeps every byte: spaces, unknown keys, data, nested and duplicate keys", async () => {
    await using api = await open();
    const { config } = (await imageDocument(api, "a")) as { config: object };
    const text = ` {"x":1,"x":{"a":[]} ,\n"config":${JSON.stringify({ ...config, data: "e30=" })},"layers":[],"schemaVersion":2,"own":{"\\u0000é":"\\ud83d"}}\r\n`;
    assert.equal((await putManifest(api, "a", "t", text, MediaType.ociManifest)).status, 201);
    const answer = await api.send("GET", "/v2/a/manifests/t");
    assert.equal(answer.body.toString(), text);
    assert.equal(answer.headers["content-type"], MediaType.ociManifest);
  });

  test("takes the kind from the Content-Type, without its parameters", async () => {
    await using api = await open();
    const document = await imageDocument(api, "a");
    for (const type of [
      `${MediaType.ociManifest}; charset=utf-8`,
      `${MediaType.ociManifest} ;x="y;z"`,
      MediaType.ociManifest.toUpperCase(),
    ]) {
      assert.equal((await putManifest(api, "a", "t", document, type)).status, 201, type);
    }
  });

  test("takes the kind from the document where the Content-Type is missing or says JSON", async () => {
    await using api = await open();
    const { mediaType: _, ...document } = await imageDocument(api, "a");
    const { mediaType: __, ...index } = indexOf([await pushImage(api, "a")]);
    const docker = await imageDocument(api, "a", { docker: true });
    for (const type of [undefined, "application/json", "application/json; charset=utf-8", ";"]) {
      for (const [body, expected] of [
        [document, MediaType.ociManifest],
        [index, MediaType.ociIndex],
        [docker, MediaType.dockerManifest],
      ] as const) {
        assert.equal((await putManifest(api, "a", "t", body, type)).status, 201, `${type} ${expected}`);
        assert.equal((await api.send("GET", "/v2/a/manifests/t")).headers["content-type"], expected);
      }
    }
  });

  test("CVE-2021-41190: refuses what is no manifest of its type, and stores nothing", async () => {
    await using api = await open();
    const document = await imageDocument(api, "a");
    const index = indexOf([await pushImage(api, "a")]);
    const { mediaType: _, ...untyped } = document;
    const { ociManifest, ociIndex, dockerManifest, dockerList, dockerSchema1, dockerSchema1Signed } = MediaType;
    const cases: readonly (readonly [string | object | Uint8Array, type: string | undefined])[] = [
      ["", ociManifest],
      ["{", ociManifest],
      ["[]", ociManifest],
      ["null", ociManifest],
      ['"x"', undefined],
      [Buffer.from([0xff, 0xfe]), ociManifest],
      ["{}", undefined],
      [{ schemaVersion: 2 }, "application/json"],
      [document, "application/vnd.example.unknown+json"],
      [document, "text/plain"],
      [document, "a b/c d;;;"],
      [document, dockerManifest],
      [document, ociIndex],
      [index, ociManifest],
      [index, dockerList],
      [untyped, dockerManifest],
      [{ ...document, manifests: [] }, ociManifest],
      [{ ...document, manifests: [] }, undefined],
      [{ ...index, layers: [] }, ociIndex],
      [{ ...index, config: document["config"] }, ociIndex],
      [{ ...document, schemaVersion: 1 }, ociManifest],
      [{ ...document, schemaVersion: 3 }, ociManifest],
      [{ ...document, schemaVersion: "2" }, ociManifest],
      [{ ...untyped, schemaVersion: undefined }, ociManifest],
      [{ ...document, Layers: [] }, ociManifest],
      [{ ...document, MANIFESTS: [] }, ociManifest],
      [{ ...document, layerſ: [] }, ociManifest],
      [{ ...document, config: { ...(document["config"] as object), Digest: MISSING } }, ociManifest],
      [{ ...document, config: { ...(document["config"] as object), size: 1.5 } }, ociManifest],
      [{ ...document, config: { ...(document["config"] as object), size: -1 } }, ociManifest],
      [{ ...document, config: { ...(document["config"] as object), digest: "sha256:x" } }, ociManifest],
      [{ ...document, config: { ...(document["config"] as object), digest: "../../x" } }, ociManifest],
      [{ ...document, layers: {} }, ociManifest],
      [{ ...document, layers: [null] }, ociManifest],
      [{ ...document, subject: "x" }, ociManifest],
      [{ ...document, subject: { ...(document["config"] as object), digest: "sha256:.." } }, ociManifest],
      [{ schemaVersion: 1, fsLayers: [], history: [], signatures: [], name: "a", tag: "t" }, undefined],
      [{ schemaVersion: 1, fsLayers: [], history: [], name: "a", tag: "t" }, dockerSchema1],
      [{ schemaVersion: 1, fsLayers: [], history: [], signatures: [] }, dockerSchema1Signed],
    ];
    for (const [body, type] of cases) {
      const bytes = body instanceof Uint8Array || typeof body === "string" ? body : JSON.stringify(body);
      for (const reference of ["t", digestOf(Buffer.from(bytes as string))]) {
        const answer = await unchanged(api, () => putManifest(api, "a", reference, bytes, type));
        for (const { code } of errorsOf(answer, 400)) assert.equal(code, "MANIFEST_INVALID", `${bytes} as ${type}`);
      }
    }
  });

  test("CVE-2017-11468: is possible up to 4 MiB and not a byte more, announced or not", async () => {
    await using api = await open();
    const document = await imageDocument(api, "a");
    const bytes = Buffer.from(JSON.stringify(document).padEnd(LIMIT, " "));
    assert.equal((await putManifest(api, "a", "t", bytes, MediaType.ociManifest)).status, 201);
    assert.equal((await api.send("GET", "/v2/a/manifests/t")).body.length, LIMIT);
    const headers = { "Content-Type": MediaType.ociManifest };
    const chunked = await api.send("PUT", "/v2/a/manifests/u", { body: [bytes, Buffer.alloc(0)], headers });
    assert.equal(chunked.status, 201);
    const longer = Buffer.concat([bytes, Buffer.from(" ")]);
    await unchanged(api, async () => {
      expectError(await putManifest(api, "a", "v", longer, MediaType.ociManifest), 413, "MANIFEST_INVALID");
      const body = [longer.subarray(0, LIMIT), longer.subarray(LIMIT)];
      expectError(await api.send("PUT", "/v2/a/manifests/v", { body, headers }), 413, "MANIFEST_INVALID");
    });
  });

  test("under a digest that is not that of its bytes is refused", async () => {
    await using api = await open();
    const document = await imageDocument(api, "a");
    const bytes = Buffer.from(JSON.stringify(document));
    for (const reference of [MISSING, `sha512:${"e".repeat(128)}`, digestOf(Buffer.from("x"), "sha384")]) {
      const answer = await unchanged(api, () => putManifest(api, "a", reference, bytes, MediaType.ociManifest));
      expectError(answer, 400, "DIGEST_INVALID");
    }
    for (const algorithm of ["sha384", "sha512"] as const) {
      const digest = digestOf(bytes, algorithm);
      const answer = await putManifest(api, "a", digest, bytes, MediaType.ociManifest);
      assert.equal(answer.status, 201);
      assert.equal(answer.headers["docker-content-digest"], digest);
      assert.equal(answer.headers.location, `${api.origin}/v2/a/manifests/${digest}`);
    }
  });

  test("names every missing reference in the order of the document", async () => {
    await using api = await open();
    const other = await pushImage(api, "other", { layers: [Buffer.from("only in the other")] });
    const digest = (character: string): string => `sha256:${character.repeat(64)}`;
    const descriptor = (value: string): object => ({ mediaType: "application/x", digest: value, size: 1 });
    const document = {
      schemaVersion: 2,
      config: descriptor(digest("c")),
      layers: [digest("b"), other.digest, digest("a")].map(descriptor),
    };
    const answer = await unchanged(api, () => putManifest(api, "a", "t", document, MediaType.ociManifest));
    assert.deepEqual(
      errorsOf(answer, 400).map(({ code, detail }) => [code, detail]),
      [digest("c"), digest("b"), other.digest, digest("a")].map((value) => ["MANIFEST_BLOB_UNKNOWN", value]),
    );
    const children = [digest("1"), other.digest].map((value) => ({ ...descriptor(value), mediaType: "x/y" }));
    const index = { schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: children };
    const refused = await unchanged(api, () => putManifest(api, "a", "t", index, MediaType.ociIndex));
    assert.deepEqual(
      errorsOf(refused, 400).map(({ detail }) => detail),
      [digest("1"), other.digest],
    );
  });

  test("of an index needs its children to be manifests of the repository", async () => {
    await using api = await open();
    const image = await pushImage(api, "a", { layers: [Buffer.from("layer")] });
    const [layer] = image.document["layers"] as [object];
    const answer = await putManifest(api, "a", "t", { ...indexOf([]), manifests: [layer] }, MediaType.ociIndex);
    expectError(answer, 400, "MANIFEST_BLOB_UNKNOWN");
    const index = await pushManifest(api, "a", indexOf([image]));
    await pushManifest(api, "a", indexOf([index, image]), { reference: "nested" });
    await pushManifest(api, "a", indexOf([]), { reference: "empty" });
  });

  test("of a sparse index is possible where the configuration allows it, with a warning", async () => {
    await using api = await open({ requiresChild: ({ platform }) => platform?.architecture === "amd64" });
    const child = { mediaType: MediaType.ociManifest, digest: MISSING, size: 5 };
    const sparse = { ...indexOf([]), manifests: [{ ...child, platform: { os: "linux", architecture: "arm64" } }] };
    const answer = await putManifest(api, "a", "t", sparse, MediaType.ociIndex);
    assert.equal(answer.status, 201);
    assert.equal(answer.headers.warning, `299 - "${MISSING} is not in this repository yet"`);
    const whole = { ...indexOf([]), manifests: [{ ...child, platform: { os: "linux", architecture: "amd64" } }] };
    expectError(await putManifest(api, "a", "u", whole, MediaType.ociIndex), 400, "MANIFEST_BLOB_UNKNOWN");
  });

  test("accepts artifacts: no layers, any type of config, and an artifactType", async () => {
    await using api = await open();
    const document = await imageDocument(api, "a", { extra: { artifactType: "application/vnd.example" } });
    const config = { ...(document["config"] as object), mediaType: "application/vnd.nobody.knows" };
    await pushManifest(api, "a", { ...document, config }, { reference: "t" });
  });

  test("says which subject it registered, also one that nobody has", async () => {
    await using api = await open();
    const image = await pushImage(api, "a");
    const subjects = [descriptorOf(image), { mediaType: MediaType.ociManifest, digest: MISSING, size: 7 }];
    for (const subject of subjects) {
      for (const document of [await imageDocument(api, "a", { extra: { subject } }), indexOf([], { subject })]) {
        const answer = await putManifest(api, "a", "t", document, String(document["mediaType"]));
        assert.equal(answer.status, 201);
        assert.equal(answer.headers["oci-subject"], (subject as { digest: string }).digest);
      }
    }
  });

  test("by digest with tags creates all of them", async () => {
    await using api = await open();
    const document = await imageDocument(api, "a");
    const bytes = Buffer.from(JSON.stringify(document));
    const tags = Array.from({ length: 12 }, (_, i) => `t${i}`);
    const query = tags.map((tag) => `tag=${tag}`).join("&");
    const answer = await putManifest(api, "a", `${digestOf(bytes)}?${query}`, bytes, MediaType.ociManifest);
    assert.equal(answer.status, 201);
    assert.equal(answer.headers["oci-tag"], tags.join(", "));
    for (const tag of tags) assert.deepEqual((await api.send("GET", `/v2/a/manifests/${tag}`)).body, bytes);
  });

  test("by digest with a tag that is none writes nothing", async () => {
    await using api = await open();
    const bytes = Buffer.from(JSON.stringify(await imageDocument(api, "a")));
    for (const tag of ["", ".x", "a/b", "..%2Fx", "x".repeat(129), "%00"]) {
      const reference = `${digestOf(bytes)}?tag=ok&tag=${tag}`;
      const answer = await unchanged(api, () => putManifest(api, "a", reference, bytes, MediaType.ociManifest));
      expectError(answer, 400, "TAG_INVALID");
    }
  });

  test("sets a hundred tags at once and no more", async () => {
    await using api = await open();
    const bytes = Buffer.from(JSON.stringify(await imageDocument(api, "a")));
    const put = (count: number): Promise<Answer> => {
      const tags = Array.from({ length: count }, (_, i) => `tag=t${i}`).join("&");
      return putManifest(api, "a", `${digestOf(bytes)}?${tags}`, bytes, MediaType.ociManifest);
    };
    expectError(await unchanged(api, () => put(101)), 400, "TAG_INVALID");
    assert.equal((await put(100)).status, 201);
  });

  test("with a layer that is a manifest needs it as a manifest and as a blob", async () => {
    await using api = await open();
    for (const docker of [false, true]) {
      const layer = await pushImage(api, "a", { docker, extra: { annotations: { of: String(docker) } } });
      const image = await imageDocument(api, "a", { docker });
      const document = { ...image, layers: [descriptorOf(layer)] };
      const type = String(image["mediaType"]);
      const refused = await putManifest(api, "a", "t", document, type);
      assert.equal(expectError(refused, 400, "MANIFEST_BLOB_UNKNOWN"), layer.digest);
      await pushBlob(api, "a", layer.bytes);
      assert.equal((await putManifest(api, "a", "t", document, type)).status, 201);
    }
  });

  test("by tag can be made to depend on what the tag points at", async () => {
    await using api = await open();
    const first = await pushImage(api, "a", { reference: "t" });
    const other = await imageDocument(api, "a", { extra: { annotations: { a: "b" } } });
    const put = (reference: string, headers: Readonly<Record<string, string>>): Promise<Answer> =>
      putManifest(api, "a", reference, other, MediaType.ociManifest, headers);
    for (const headers of [
      { "If-None-Match": "*" },
      { "If-None-Match": `"${first.digest}"` },
      { "If-Match": `"${MISSING}"` },
    ]) {
      expectError(await unchanged(api, () => put("t", headers)), 412, "PRECONDITION_FAILED");
    }
    for (const headers of [{ "If-Match": "*" }, { "If-Match": `"${first.digest}"` }]) {
      expectError(await unchanged(api, () => put("new", headers)), 412, "PRECONDITION_FAILED");
    }
    assert.equal((await put("new", { "If-None-Match": "*" })).status, 201);
    assert.equal((await put("t", { "If-Match": `"${MISSING}", "${first.digest}"` })).status, 201);
    expectError(await put("t", { "If-Match": `"${first.digest}"` }), 412, "PRECONDITION_FAILED");
  });

  test("foreign-layer URLs: with foreign layers needs an allow list, and URLs that it allows", async () => {
    const refused = "https://other.example/layer";
    const allowed = "https://layers.example/layer";
    await using strict = await open();
    await using lenient = await open({
      foreignUrls: {
        allow: (url) => url.startsWith("https://layers.example/"),
        deny: (url) => url.includes("secret"),
      },
    });
    for (const api of [strict, lenient]) {
      for (const urls of [undefined, [], [refused], ["ftp://layers.example/x"], ["no url"], [`${allowed}#x`]]) {
        const answer = await pushForeign(api, urls);
        const codes = errorsOf(answer, 400).map(({ code }) => code);
        assert.deepEqual([...new Set(codes)], ["MANIFEST_INVALID", "MANIFEST_BLOB_UNKNOWN"], String(urls));
        assert.equal(errorsOf(answer, 400).at(-1)?.detail, MISSING);
      }
    }
    assert.equal((await pushForeign(strict, [allowed])).status, 400);
    assert.equal((await pushForeign(lenient, [allowed])).status, 201);
    assert.equal((await pushForeign(lenient, [allowed, `${allowed}/secret`])).status, 400);
  });

  test("foreign-layer URLs: with non-distributable layers accepts any http URL unless lists say otherwise", async () => {
    await using unlisted = await open();
    await using listed = await open({ foreignUrls: { deny: (url) => url.includes("example") } });
    const push = async (api: Api, urls: readonly string[]): Promise<number> => {
      const layer = { mediaType: MediaType.ociNondistributableGzip, digest: MISSING, size: 1, urls };
      const document = { ...(await imageDocument(api, "a")), layers: [layer] };
      return (await putManifest(api, "a", "t", document, MediaType.ociManifest)).status;
    };
    assert.equal(await push(unlisted, ["http://layers.example/x"]), 201);
    assert.equal(await push(unlisted, ["http://layers.example/x#y"]), 400);
    assert.equal(await push(unlisted, ["file:///etc/passwd"]), 400);
    assert.equal(await push(unlisted, []), 400);
    assert.equal(await push(listed, ["http://layers.example/x"]), 400);
  });

  test("warns of a size that is not that of the stored blob, and stores it", async () => {
    await using api = await open();
    const document = await imageDocument(api, "a");
    const config = { ...(document["config"] as { digest: string }), size: 1 };
    const answer = await putManifest(api, "a", "t", { ...document, config }, MediaType.ociManifest);
    assert.equal(answer.status, 201);
    assert.match(
      answer.headers.warning ?? "",
      /^299 - "sha256:[0-9a-f]{64} has another size than the manifest states"$/,
    );
  });

  test("amplification: that names one blob ten thousand times looks for it once", async () => {
    await using place = await open();
    const { driver, count, forget } = countingDriver(place.driver);
    await using api = await startApi(driver);
    const digest = await pushBlob(api, "a", Buffer.from("layer"));
    const layers = Array.from({ length: 10_000 }, () => ({ mediaType: MediaType.ociLayer, digest, size: 5 }));
    const document = { ...(await imageDocument(api, "a")), layers };
    forget();
    await pushManifest(api, "a", document);
    const hex = new RegExp(digest.slice("sha256:".length));
    for (const call of ["stat", "getContent", "reader"] as const) assert.ok(count(call, hex) <= 1, call);
    assert.ok(count("stat", hex) + count("getContent", hex) > 0);
  });

  test("moves a tag, and leaves the manifest that it pointed at", async () => {
    await using api = await open();
    const first = await pushImage(api, "a", { reference: "t" });
    const second = await pushImage(api, "a", { reference: "t", layers: [Buffer.from("x")] });
    assert.deepEqual((await api.send("GET", "/v2/a/manifests/t")).body, second.bytes);
    assert.deepEqual((await api.send("GET", `/v2/a/manifests/${first.digest}`)).body, first.bytes);
    assert.deepEqual(json(await api.send("GET", "/v2/a/tags/list")), { name: "a", tags: ["t"] });
  });
});

async function pushForeign(api: Api, urls: readonly string[] | undefined): Promise<Answer> {
  const layer = { mediaType: MediaType.dockerForeignLayer, digest: MISSING, size: 1, urls };
  const document = { ...(await imageDocument(api, "a", { docker: true })), layers: [layer] };
  return await putManifest(api, "a", "t", document, MediaType.dockerManifest);
}
