import assert from "node:assert/strict";
import { test } from "node:test";
import { MediaType } from "../../src/oci/media-types.ts";
import { registryContract } from "../contract/registry.ts";
import { startApi } from "../support/api.ts";
import {
  contentsOf,
  expectError,
  expectText,
  indexOf,
  json,
  locationOf,
  pushBlob,
  pushImage,
  pushManifest,
  putManifest,
  startUpload,
  unchanged,
} from "../support/api-content.ts";

const ABSENT = `sha256:${"0".repeat(64)}`;

registryContract("deleting", (open) => {
  test("a manifest by digest takes it and its tags away and leaves the bytes", async () => {
    await using api = await open();
    const image = await pushImage(api, "a", { reference: "one", layers: [Buffer.from("layer")] });
    const kept = await pushImage(api, "a", { reference: "kept" });
    await putManifest(api, "a", "two", image.bytes, MediaType.ociManifest);
    await putManifest(api, "b", "one", kept.bytes, MediaType.ociManifest);
    const answer = await api.send("DELETE", `/v2/a/manifests/${image.digest}`);
    assert.equal(answer.status, 202);
    assert.equal(answer.headers["content-length"], "0");
    for (const reference of [image.digest, "one", "two"]) {
      expectError(await api.send("GET", `/v2/a/manifests/${reference}`), 404, "MANIFEST_UNKNOWN");
    }
    assert.deepEqual(json(await api.send("GET", "/v2/a/tags/list")), { name: "a", tags: ["kept"] });
    assert.equal((await api.send("GET", `/v2/a/manifests/${kept.digest}`)).status, 200);
    const [layer] = image.document["layers"] as [{ digest: string }];
    assert.equal((await api.send("HEAD", `/v2/a/blobs/${layer.digest}`)).status, 200);
    const hex = image.digest.slice(7);
    const data = `/docker/registry/v2/blobs/sha256/${hex.slice(0, 2)}/${hex}/data`;
    assert.deepEqual(Buffer.from(await api.driver.getContent(data)), image.bytes);
  });

  test("a tag takes its folder away and leaves the manifest", async () => {
    await using api = await open();
    const image = await pushImage(api, "a", { reference: "one" });
    await putManifest(api, "a", "two", image.bytes, MediaType.ociManifest);
    assert.equal((await api.send("DELETE", "/v2/a/manifests/one")).status, 202);
    expectError(await api.send("GET", "/v2/a/manifests/one"), 404, "MANIFEST_UNKNOWN");
    assert.equal((await api.send("GET", "/v2/a/manifests/two")).status, 200);
    assert.equal((await api.send("GET", `/v2/a/manifests/${image.digest}`)).status, 200);
    assert.ok(!Object.keys(await contentsOf(api.driver)).some((path) => path.includes("/tags/one")));
  });

  test("a blob takes its link away, also while a manifest names it, and leaves the bytes", async () => {
    await using api = await open();
    const image = await pushImage(api, "a", { layers: [Buffer.from("layer")] });
    const [{ digest }] = image.document["layers"] as [{ digest: string }];
    await pushBlob(api, "b", Buffer.from("layer"));
    const answer = await api.send("DELETE", `/v2/a/blobs/${digest}`);
    assert.equal(answer.status, 202);
    assert.equal(answer.headers["content-length"], "0");
    expectError(await api.send("GET", `/v2/a/blobs/${digest}`), 404, "BLOB_UNKNOWN");
    assert.equal((await api.send("GET", `/v2/b/blobs/${digest}`)).status, 200);
    assert.equal((await api.send("GET", `/v2/a/manifests/${image.digest}`)).status, 200);
  });

  test("by sha512 works as by sha256", async () => {
    await using api = await open();
    const image = await pushImage(api, "a", { algorithm: "sha512" });
    const { digest } = image.document["config"] as { digest: string };
    for (const target of [`manifests/${image.digest}`, `blobs/${digest}`]) {
      assert.equal((await api.send("DELETE", `/v2/a/${target}`)).status, 202);
      assert.equal((await api.send("DELETE", `/v2/a/${target}`)).status, 404);
      assert.equal((await api.send("GET", `/v2/a/${target}`)).status, 404);
    }
  });

  test("what is not there, or not there any more, is an error", async () => {
    await using api = await open();
    const image = await pushImage(api, "a", { reference: "t" });
    const { digest } = image.document["config"] as { digest: string };
    for (const target of [`manifests/${image.digest}`, `blobs/${digest}`]) {
      assert.equal((await api.send("DELETE", `/v2/a/${target}`)).status, 202);
    }
    await unchanged(api, async () => {
      for (const target of ["a/manifests/t", "a/manifests/none", "none/manifests/t", "none/x/manifests/t"]) {
        expectError(await api.send("DELETE", `/v2/${target}`), 404, "MANIFEST_UNKNOWN");
      }
      for (const target of [`a/manifests/${image.digest}`, `a/manifests/${ABSENT}`, `none/manifests/${ABSENT}`]) {
        expectError(await api.send("DELETE", `/v2/${target}`), 404, "MANIFEST_UNKNOWN");
      }
      for (const target of [`a/blobs/${digest}`, `a/blobs/${ABSENT}`, `none/blobs/${ABSENT}`]) {
        assert.equal(expectError(await api.send("DELETE", `/v2/${target}`), 404, "BLOB_UNKNOWN"), undefined);
      }
    });
  });

  test("a child of an index leaves the index", async () => {
    await using api = await open();
    const image = await pushImage(api, "a");
    const index = await pushManifest(api, "a", indexOf([image]), { reference: "i" });
    assert.equal((await api.send("DELETE", `/v2/a/manifests/${image.digest}`)).status, 202);
    assert.deepEqual((await api.send("GET", "/v2/a/manifests/i")).body, index.bytes);
  });

  test("a blob that is wanted again is possible to push again", async () => {
    await using api = await open();
    const digest = await pushBlob(api, "a", Buffer.from("x"));
    assert.equal((await api.send("DELETE", `/v2/a/blobs/${digest}`)).status, 202);
    await pushBlob(api, "a", Buffer.from("x"));
    assert.equal((await api.send("GET", `/v2/a/blobs/${digest}`)).status, 200);
  });

  test("CVE-2026-41888: is refused everywhere while it is switched off, whether anything is there or not", async () => {
    await using api = await open({ deletion: false });
    const image = await pushImage(api, "a", { reference: "t" });
    const { digest } = image.document["config"] as { digest: string };
    await unchanged(api, async () => {
      for (const target of [
        "a/manifests/t",
        `a/manifests/${image.digest}`,
        `a/blobs/${digest}`,
        "a/manifests/none",
        `a/manifests/${ABSENT}`,
        `a/blobs/${ABSENT}`,
        "none/manifests/t",
        `none/blobs/${ABSENT}`,
      ]) {
        for (const query of ["", "?force=true", "?tag=t"]) {
          const answer = await api.send("DELETE", `/v2/${target}${query}`);
          assert.match(String(expectError(answer, 405, "UNSUPPORTED")), /storage\.delete\.enabled/);
        }
      }
      const override = { headers: { "X-HTTP-Method-Override": "DELETE" }, body: "" };
      assert.equal((await api.send("POST", "/v2/a/manifests/t", override)).status, 405);
    });
    assert.equal((await api.send("GET", "/v2/a/manifests/t")).status, 200);
  });

  test("an upload is possible while deletion is switched off: it is the client's own", async () => {
    await using api = await open({ deletion: false });
    assert.equal((await api.send("DELETE", await startUpload(api, "a"))).status, 204);
  });

  test("CVE-2026-41888: and every other change is refused in maintenance, also with a session begun before", async () => {
    await using before = await open();
    const session = locationOf(await before.send("PATCH", await startUpload(before, "a"), { body: "x" }));
    const image = await pushImage(before, "a", { reference: "t" });
    const { digest } = image.document["config"] as { digest: string };
    await using api = await startApi(before.driver, { readOnly: true, deletion: true });
    await unchanged(api, async () => {
      for (const [method, target] of [
        ["DELETE", "/v2/a/manifests/t"],
        ["DELETE", `/v2/a/manifests/${image.digest}`],
        ["DELETE", `/v2/a/blobs/${digest}`],
        ["PUT", "/v2/a/manifests/t"],
        ["PUT", `/v2/a/manifests/${image.digest}?tag=new`],
        ["POST", "/v2/a/blobs/uploads/"],
        ["POST", "/v2/a/blobs/uploads"],
        ["POST", `/v2/b/blobs/uploads/?mount=${digest}&from=a`],
        ["POST", `/v2/b/blobs/uploads/?digest=${digest}`],
        ["PATCH", session],
        ["PUT", `${session}&digest=${digest}`],
        ["DELETE", session],
        ["POST", session],
      ] as const) {
        expectText(await api.send(method, target, { body: "y" }), 405, "Method not allowed\n");
      }
      assert.equal((await api.send("GET", session)).status, 204);
      assert.equal((await api.send("GET", "/v2/a/manifests/t")).status, 200);
      assert.equal((await api.send("GET", `/v2/a/referrers/${image.digest}`)).status, 200);
    });
  });
});
