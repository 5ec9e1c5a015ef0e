/** Path traversal: tricks in every place of a request that names something. Names, tags and digests: test/api/hostile.test.ts. */
import assert from "node:assert/strict";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { digestOf } from "../../src/oci/digest.ts";
import { openFilesystem } from "../../src/storage/filesystem.ts";
import { type Answer, type Api, startApi } from "../support/api.ts";
import { locationOf, pushBlob, startUpload, unchanged } from "../support/api-content.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { TRICKS } from "./hostile-texts.ts";

const DIGEST = digestOf(Buffer.from("x"));

interface Place extends AsyncDisposable {
  readonly api: Api;
  /** Everything beside the storage's folder. */
  outside(): Promise<readonly string[]>;
}

/** A registry on disk, with a file beside its folder that nobody may reach. */
async function open(): Promise<Place> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder("traversal"));
  await mkdir(folder.join("storage"));
  await writeFile(folder.join("outside"), "the file outside");
  const api = stack.use(await startApi(await openFilesystem({ rootdirectory: folder.join("storage") })));
  await pushBlob(api, "a", Buffer.from("x"));
  const owned = stack.move();
  return { api, outside: () => readdir(folder.path), [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

function expectRefusal({ status, headers, body }: Answer, what: string): void {
  assert.ok(status === 301 || (status >= 400 && status < 500), `${what}: ${status}`);
  assert.equal(headers["x-injected"], undefined);
  assert.equal(headers["set-cookie"], undefined);
  assert.doesNotMatch(body.toString(), /the file outside|root:|storage\/docker/);
}

describe("path traversal", () => {
  for (const [what, methods, pathOf] of [
    ["a name", ["GET", "DELETE", "PUT"], (trick: string) => `/v2/a/${trick}/manifests/t`],
    ["a tag or a digest", ["GET", "DELETE", "PUT"], (trick: string) => `/v2/a/manifests/${trick}`],
    ["a blob's digest", ["GET", "HEAD", "DELETE"], (trick: string) => `/v2/a/blobs/${trick}`],
    [
      "a blob's digest, behind its algorithm",
      ["GET", "HEAD", "DELETE"],
      (trick: string) => `/v2/a/blobs/sha256:${trick}`,
    ],
    ["a subject", ["GET", "HEAD"], (trick: string) => `/v2/a/referrers/${trick}`],
    [
      "an upload's id",
      ["GET", "HEAD", "PATCH", "PUT", "DELETE", "POST"],
      (trick: string) => `/v2/a/blobs/uploads/${trick}`,
    ],
    ["an upload's id, with a digest", ["PUT"], (trick: string) => `/v2/a/blobs/uploads/${trick}?digest=${DIGEST}`],
  ] as const) {
    test(`in ${what} leads nowhere`, async () => {
      await using place = await open();
      await unchanged(place.api, async () => {
        for (const trick of TRICKS) {
          for (const method of methods) {
            const hasBody = method === "PUT" || method === "PATCH";
            const path = pathOf(trick);
            if (/\/manifests\/(?:~root|-rf|con|_uploads|\*)$/.test(path) && method === "PUT") continue; // tags, or bodies that are refused
            expectRefusal(await place.api.send(method, path, hasBody ? { body: "x" } : {}), `${method} ${path}`);
          }
        }
      });
      assert.deepEqual(await place.outside(), ["outside", "storage"]);
    });
  }

  test("in the source of a mount, or its digest, is an upload like any other", async () => {
    await using place = await open();
    for (const trick of TRICKS) {
      for (const query of [`?mount=${DIGEST}&from=${trick}`, `?mount=${trick}&from=a`, `?mount=sha256:${trick}`]) {
        const answer = await place.api.send("POST", `/v2/b/blobs/uploads/${query}`);
        assert.equal(answer.status, 202, query);
        assert.match(locationOf(answer), /^\/v2\/b\/blobs\/uploads\/[0-9a-f-]{36}\?_state=/);
        assert.equal((await place.api.send("DELETE", locationOf(answer))).status, 204);
      }
    }
    assert.deepEqual(await place.outside(), ["outside", "storage"]);
    assert.equal((await place.api.send("HEAD", `/v2/b/blobs/${DIGEST}`)).status, 404);
  });

  test("in the digest of an upload, its algorithm or its _state is refused, and the upload goes on", async () => {
    await using place = await open();
    const session = await startUpload(place.api, "a");
    const [path = ""] = session.split("?");
    await unchanged(place.api, async () => {
      for (const trick of TRICKS) {
        for (const query of [
          `${session}&digest=${trick}`,
          `${session}&digest=sha256:${trick}`,
          `${path}?_state=${trick}&digest=${DIGEST}`,
        ]) {
          expectRefusal(await place.api.send("PUT", query, { body: "x" }), query);
        }
        expectRefusal(await place.api.send("POST", `/v2/a/blobs/uploads/?digest-algorithm=${trick}`), trick);
        expectRefusal(await place.api.send("POST", `/v2/a/blobs/uploads/?digest=${trick}`, { body: "x" }), trick);
      }
    });
    assert.equal((await place.api.send("PUT", `${session}&digest=${DIGEST}`, { body: "x" })).status, 201);
  });

  test("in where a list goes on, in filters and in tags beside a digest makes no path", async () => {
    await using place = await open();
    await unchanged(place.api, async () => {
      for (const trick of TRICKS) {
        for (const path of [
          `/v2/_catalog?last=${trick}`,
          `/v2/a/tags/list?n=5&last=${trick}`,
          `/v2/a/tags/list?last=${trick}`,
        ]) {
          const { status, body } = await place.api.send("GET", path);
          assert.equal(status, 200, path);
          assert.deepEqual(
            Object.keys(JSON.parse(body.toString())).sort(),
            path.includes("/tags/list") ? ["name", "tags"] : ["repositories"],
          );
        }
        for (const query of [`last=${trick}`, `artifactType=${trick}`]) {
          const { status } = await place.api.send("GET", `/v2/a/referrers/${DIGEST}?${query}`);
          assert.ok([200, 400].includes(status), `${query}: ${status}`);
        }
        const tagged = await place.api.send("PUT", `/v2/a/manifests/${DIGEST}?tag=${trick}`, { body: "x" });
        assert.equal(tagged.status, 400);
      }
    });
  });
});
