/** Layers that storage names by a tarsum, as the registries of 2014 and 2015 left them. @see storage-layout, section 1 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "../../src/oci/digest.ts";
import { parseRepositoryName } from "../../src/oci/names.ts";
import { parseTarsum } from "../../src/oci/tarsum.ts";
import { PathMapper } from "../../src/registry/paths.ts";
import { registryContract } from "../contract/registry.ts";
import type { Answer, Api } from "../support/api.ts";
import { contentsOf, expectError, sameBytes, unchanged } from "../support/api-content.ts";

const ROOT = "/docker/registry/v2";
const BYTES = Buffer.from("nobody looks whether it is a tar");
const CANONICAL = digestOf(BYTES);
const HEX = "0123456789abcdef".repeat(4);
const EMPTY_HEX = digestOf(new Uint8Array()).slice("sha256:".length);

const V1 = `tarsum.v1+sha256:${HEX}`;

/** The parts of each in paths. The last two cannot be verified and were taken in 2015. */
const TARSUMS: ReadonlyMap<string, readonly [version: string, algorithm: string, hex: string]> = new Map([
  [`tarsum+sha256:${HEX}`, ["v0", "sha256", HEX]],
  [V1, ["v1", "sha256", HEX]],
  [`tarsum.dev+sha512:${HEX}${HEX}`, ["dev", "sha512", HEX + HEX]],
  [`tarsum.v1+sha256:${HEX.toUpperCase()}`, ["v1", "sha256", HEX.toUpperCase()]],
  [`tarsum.v7+sha256:${HEX}`, ["v7", "sha256", HEX]],
  ["tarsum+md5:abcdef", ["v0", "md5", "abcdef"]],
]);

type Layout = "2014" | "2015";
const LAYOUTS: readonly Layout[] = ["2014", "2015"];

registryContract("a layer named by a tarsum", (open) => {
  for (const layout of LAYOUTS) {
    for (const tarsum of TARSUMS.keys()) {
      test(`in the layout of ${layout} is read: ${tarsum}`, async () => {
        await using api = await open();
        await layDown(api, "a/b", tarsum, layout);
        for (const written of [tarsum, tarsum.replace("+", "%2B"), encodeURIComponent(tarsum)]) {
          const got = await api.send("GET", `/v2/a/b/blobs/${written}`);
          expectLayer(got, tarsum);
          sameBytes(got.body, BYTES);
        }
        const head = await api.send("HEAD", `/v2/a/b/blobs/${tarsum}`);
        expectLayer(head, tarsum);
        assert.equal(head.headers["content-length"], String(BYTES.length));
        const part = await api.send("GET", `/v2/a/b/blobs/${tarsum}`, { headers: { Range: "bytes=7-10" } });
        assert.equal(part.status, 206);
        sameBytes(part.body, BYTES.subarray(7, 11));
        const again = { headers: { "If-None-Match": `"${tarsum}"` } };
        assert.equal((await api.send("GET", `/v2/a/b/blobs/${tarsum}`, again)).status, 304);
        expectError(await api.send("GET", `/v2/a/blobs/${tarsum}`), 404, "BLOB_UNKNOWN");
        expectError(await api.send("GET", `/v2/a/b/blobs/${CANONICAL}`), 404, "BLOB_UNKNOWN");
      });
    }

    test(`in the layout of ${layout} is mounted, from the repository named or from any`, async () => {
      await using api = await open();
      await layDown(api, "from/here", V1, layout);
      for (const [target, query] of [
        ["a", `mount=${encodeURIComponent(V1)}&from=from/here`],
        ["b", `mount=${encodeURIComponent(V1)}`],
      ]) {
        const answer = await api.send("POST", `/v2/${target}/blobs/uploads/?${query}`);
        assert.equal(answer.status, 201);
        assert.equal(answer.headers["docker-content-digest"], V1);
        assert.equal(answer.headers.location, `${api.origin}/v2/${target}/blobs/${V1}`);
        sameBytes((await api.send("GET", `/v2/${target}/blobs/${V1}`)).body, BYTES);
        const canonical = await api.send("HEAD", `/v2/${target}/blobs/${CANONICAL}`);
        assert.equal(canonical.status, layout === "2015" ? 200 : 404);
      }
    });
  }

  test("is read from its own place where its digest's bytes are gone", async () => {
    await using api = await open();
    await layDown(api, "a/b", V1, "2014");
    await api.driver.putContent(linkPath("a/b", V1), Buffer.from(CANONICAL));
    sameBytes((await api.send("GET", `/v2/a/b/blobs/${V1}`)).body, BYTES);
    const answer = await api.send("POST", `/v2/c/blobs/uploads/?mount=${encodeURIComponent(V1)}&from=a/b`);
    assert.equal(answer.status, 201);
    sameBytes((await api.send("GET", `/v2/c/blobs/${V1}`)).body, BYTES);
  });

  test("is unknown where no bytes are left, or a crash left an empty file", async () => {
    await using api = await open();
    for (const layout of LAYOUTS) {
      await layDown(api, "a/b", V1, layout);
      await api.driver.delete(`${ROOT}/blobs`);
      expectError(await api.send("GET", `/v2/a/b/blobs/${V1}`), 404, "BLOB_UNKNOWN");
      await layDown(api, "a/b", V1, layout, Buffer.alloc(0));
      expectError(await api.send("GET", `/v2/a/b/blobs/${V1}`), 404, "BLOB_UNKNOWN");
      const answer = await api.send("POST", `/v2/c/blobs/uploads/?mount=${encodeURIComponent(V1)}`);
      assert.equal(answer.status, 202);
    }
  });

  test("of the empty tar may have no bytes", async () => {
    await using api = await open();
    for (const [tarsum, version] of [
      [`tarsum+sha256:${EMPTY_HEX}`, "v0"],
      [`tarsum.v1+sha256:${EMPTY_HEX}`, "v1"],
    ] as const) {
      const place = `tarsum/${version}/sha256`;
      await api.driver.putContent(`${ROOT}/blobs/${place}/e3/${EMPTY_HEX}/data`, Buffer.alloc(0));
      const link = `${ROOT}/repositories/a/_layers/${place}/${EMPTY_HEX}/link`;
      await api.driver.putContent(link, Buffer.from(tarsum));
      const got = await api.send("GET", `/v2/a/blobs/${tarsum}`);
      assert.equal(got.status, 200);
      assert.equal(got.body.length, 0);
    }
  });

  test("loses that name alone when it is deleted", async () => {
    await using api = await open();
    for (const layout of LAYOUTS) {
      await layDown(api, "a/b", V1, layout);
      await api.driver.putContent(linkPath("a/b", CANONICAL), Buffer.from(CANONICAL));
      const before = await contentsOf(api.driver);
      const path = `/v2/a/b/blobs/${encodeURIComponent(V1)}`;
      assert.equal((await api.send("DELETE", path)).status, 202);
      const link = linkPath("a/b", V1);
      const { [link]: _, ...left } = filesOf(before);
      assert.deepEqual(filesOf(await contentsOf(api.driver)), left);
      expectError(await api.send("GET", path), 404, "BLOB_UNKNOWN");
      expectError(await unchanged(api, () => api.send("DELETE", path)), 404, "BLOB_UNKNOWN");
    }
    assert.equal((await api.send("GET", `/v2/a/b/blobs/${CANONICAL}`)).status, 200);
  });

  test("keeps that name when its digest is deleted", async () => {
    await using api = await open();
    await layDown(api, "a/b", V1, "2015");
    await api.driver.putContent(linkPath("a/b", CANONICAL), Buffer.from(CANONICAL));
    assert.equal((await api.send("DELETE", `/v2/a/b/blobs/${CANONICAL}`)).status, 202);
    sameBytes((await api.send("GET", `/v2/a/b/blobs/${V1}`)).body, BYTES);
  });

  test("cannot be named in another form", async () => {
    await using api = await open();
    for (const text of [
      "tarsum:ab",
      "tarsum+sha256:",
      `tarsum+sha256:${HEX}0`,
      "tarsum.v1+sha256:..",
      "tarsum+a+b:cd",
    ]) {
      for (const method of ["GET", "DELETE"]) {
        const answer = await unchanged(api, () => api.send(method, `/v2/a/blobs/${text}`));
        expectError(answer, 400, "DIGEST_INVALID");
      }
      const mount = await api.send("POST", `/v2/a/blobs/uploads/?mount=${encodeURIComponent(text)}`);
      assert.equal(mount.status, 202);
    }
    expectError(await api.send("GET", `/v2/a/blobs/tarsum.v1%20sha256:${HEX}`), 400, "DIGEST_INVALID");
  });

  test("is unknown where its link holds anything else", async () => {
    await using api = await open();
    for (const text of ["", "tarsum.v1+sha256:", CANONICAL.slice(0, 20), "../../x"]) {
      await layDown(api, "a/b", V1, "2014");
      await api.driver.putContent(linkPath("a/b", V1), Buffer.from(text));
      expectError(await api.send("GET", `/v2/a/b/blobs/${V1}`), 404, "BLOB_UNKNOWN");
    }
  });
});

test("the paths of a tarsum are those written here by hand", () => {
  const paths = new PathMapper();
  for (const [tarsum, [version, algorithm, hex]] of TARSUMS) {
    const parsed = parseTarsum(tarsum);
    const place = `tarsum/${version}/${algorithm}`;
    assert.equal(paths.blob(parsed), `${ROOT}/blobs/${place}/${hex.slice(0, 2)}/${hex}/data`);
    const link = paths.layerLink(parseRepositoryName("a/b"), parsed);
    assert.equal(link, `${ROOT}/repositories/a/b/_layers/${place}/${hex}/link`);
  }
});

/** Bytes and link, as the registry of that year laid them; nothing of the other's. */
async function layDown(
  { driver }: Api,
  repository: string,
  tarsum: string,
  layout: Layout,
  bytes: Uint8Array = BYTES,
): Promise<void> {
  const [version, algorithm, hex] = TARSUMS.get(tarsum) ?? [];
  const sha256 = CANONICAL.slice("sha256:".length);
  const place = layout === "2014" ? `tarsum/${version}/${algorithm}/${hex?.slice(0, 2)}/${hex}` : undefined;
  await driver.putContent(`${ROOT}/blobs/${place ?? `sha256/${sha256.slice(0, 2)}/${sha256}`}/data`, bytes);
  await driver.putContent(linkPath(repository, tarsum), Buffer.from(layout === "2014" ? tarsum : CANONICAL));
}

function linkPath(repository: string, digest: string): string {
  const tarsum = TARSUMS.get(digest);
  const parts = tarsum === undefined ? digest.replace(":", "/") : `tarsum/${tarsum.join("/")}`;
  return `${ROOT}/repositories/${repository}/_layers/${parts}/link`;
}

function expectLayer(answer: Answer, tarsum: string): void {
  assert.equal(answer.status, 200);
  assert.equal(answer.headers["docker-content-digest"], tarsum);
  assert.equal(answer.headers["etag"], `"${tarsum}"`);
}

/** Without folders, which go with their last file where storages have none. */
function filesOf(contents: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(contents).filter(([, content]) => content !== "folder"));
}
