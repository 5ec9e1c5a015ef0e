import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "../../src/oci/digest.ts";
import { parseRepositoryName } from "../../src/oci/names.ts";
import { PathMapper } from "../../src/registry/paths.ts";
import { registryContract } from "../contract/registry.ts";
import type { Answer, Api } from "../support/api.ts";
import { contentsOf, pushBlob, sameBytes } from "../support/api-content.ts";

const PATHS = new PathMapper();

const BYTES = Buffer.from("to be mounted");

registryContract("a mount", (open) => {
  for (const algorithm of ["sha256", "sha512"] as const) {
    test(`of a blob by ${algorithm} links it, from the repository named or from any`, async () => {
      await using api = await open();
      const digest = await pushBlob(api, "from/here", BYTES, algorithm);
      for (const [target, query] of [
        ["a", `mount=${digest}&from=from/here`],
        ["b", `mount=${encodeURIComponent(digest)}&from=from%2Fhere&origin=x`],
        ["c", `mount=${digest}`],
        ["d", `mount=${digest}&from=`],
        ["from/here", `mount=${digest}&from=from/here`],
        ["a", `mount=${digest}&from=from/here`],
      ]) {
        const answer = await api.send("POST", `/v2/${target}/blobs/uploads/?${query}`);
        assert.equal(answer.status, 201);
        assert.equal(answer.headers.location, `${api.origin}/v2/${target}/blobs/${digest}`);
        assert.equal(answer.headers["docker-content-digest"], digest);
        assert.equal(answer.headers["content-length"], "0");
        sameBytes((await api.send("GET", `/v2/${target}/blobs/${digest}`)).body, BYTES);
      }
      const paths = Object.keys(await contentsOf(api.driver));
      assert.equal(paths.filter((path) => path.endsWith("/data")).length, 1);
    });
  }

  test("that is not possible becomes an upload", async () => {
    await using api = await open();
    const digest = await pushBlob(api, "from", BYTES);
    const absent = `sha256:${"0".repeat(64)}`;
    for (const query of [
      `mount=${digest}&from=other`,
      `mount=${digest}&from=../from`,
      `mount=${digest}&from=FROM`,
      `mount=${digest}&from=from/blobs/x`,
      `mount=${absent}&from=from`,
      `mount=${absent}`,
      "mount=sha256:x&from=from",
      "mount=x",
      "mount=",
      "mount=../../x&from=from",
      "from=from",
    ]) {
      const answer = await api.send("POST", `/v2/a/blobs/uploads/?${query}`);
      expectSession(answer, query);
    }
    assert.equal((await api.send("GET", `/v2/a/blobs/${digest}`)).status, 404);
  });

  test("of bytes that are gone becomes an upload, named or not", async () => {
    await using api = await open();
    const digest = await pushBlob(api, "from", BYTES);
    await api.driver.delete(PATHS.blob(digest));
    expectSession(await api.send("POST", `/v2/a/blobs/uploads/?mount=${digest}&from=from`), "named");
    expectSession(await api.send("POST", `/v2/a/blobs/uploads/?mount=${digest}`), "any");
  });

  test("of bytes that no repository links becomes an upload", async () => {
    await using api = await open();
    const digest = await pushBlob(api, "from", BYTES);
    assert.equal((await api.send("DELETE", `/v2/from/blobs/${digest}`)).status, 202);
    expectSession(await api.send("POST", `/v2/a/blobs/uploads/?mount=${digest}&from=from`), "named");
    expectSession(await api.send("POST", `/v2/a/blobs/uploads/?mount=${digest}`), "any");
  });

  test("that became an upload takes the bytes", async () => {
    await using api = await open();
    const digest = digestOf(BYTES);
    const started = await api.send("POST", `/v2/a/blobs/uploads/?mount=${digest}&from=none`);
    const session = new URL(String(started.headers.location));
    const target = `${session.pathname}${session.search}&digest=${digest}`;
    assert.equal((await api.send("PUT", target, { body: BYTES })).status, 201);
  });

  test("of an alias that a peer left links bytes that are there", async () => {
    await using api = await open();
    const stored = await pushBlob(api, "from", BYTES);
    const alias = digestOf(BYTES, "sha512");
    await api.driver.putContent(PATHS.layerLink(parseRepositoryName("from"), alias), Buffer.from(stored));
    const answer = await api.send("POST", `/v2/a/blobs/uploads/?mount=${alias}&from=from`);
    assert.equal(answer.status, 201);
    for (const digest of [alias, stored]) {
      sameBytes((await api.send("GET", `/v2/a/blobs/${digest}`)).body, BYTES);
    }
  });

  test("writes links alone", async () => {
    await using api = await open();
    const digest = await pushBlob(api, "from", BYTES);
    const before = await filesOf(api);
    await api.send("POST", `/v2/a/blobs/uploads/?mount=${digest}&from=from`);
    const added = (await filesOf(api)).filter((path) => !before.includes(path));
    assert.deepEqual(added, [PATHS.layerLink(parseRepositoryName("a"), digest)]);
  });
});

function expectSession(answer: Answer, what: string): void {
  assert.equal(answer.status, 202, what);
  assert.ok(answer.headers.location?.includes("/v2/a/blobs/uploads/"), what);
  assert.equal(answer.headers["docker-content-digest"], undefined);
}

async function filesOf(api: Api): Promise<readonly string[]> {
  const contents = Object.entries(await contentsOf(api.driver));
  return contents.filter(([, what]) => what !== "folder").map(([path]) => path);
}
