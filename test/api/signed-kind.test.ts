/** A signed kind of manifests of one's own, from its push to its being printed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "../../src/oci/digest.ts";
import { registryContract } from "../contract/registry.ts";
import { expectError, pushBlob, putManifest, unchanged } from "../support/api-content.ts";
import { blobPath } from "../support/schema1-stored.ts";
import { SEALED, sealedKind, toSealed } from "../support/signed-kind.ts";

const NAME = "library/sealed";
const PART = Buffer.from("a part");
const PAYLOAD = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: SEALED,
    parts: [{ mediaType: "application/octet-stream", digest: digestOf(PART), size: PART.length }],
  }),
);
const DIGEST = digestOf(PAYLOAD);

registryContract("a signed kind of one's own", (open) => {
  test("is pushed, stored as its payload, and printed by tag and by digest", async () => {
    await using api = await open({ kinds: [sealedKind] });
    await pushBlob(api, NAME, PART);
    const pushed = await putManifest(api, NAME, "v1", toSealed(PAYLOAD), SEALED);
    assert.equal(pushed.status, 201, pushed.body.toString());
    assert.equal(pushed.headers["docker-content-digest"], DIGEST);
    assert.deepEqual(Buffer.from(await api.driver.getContent(blobPath(DIGEST))), PAYLOAD);
    for (const reference of ["v1", DIGEST]) {
      const { status, headers, body } = await api.send("GET", `/v2/${NAME}/manifests/${reference}`);
      assert.equal(status, 200, body.toString());
      assert.equal(headers["content-type"], SEALED);
      assert.equal(headers["docker-content-digest"], DIGEST);
      assert.deepEqual(body, toSealed(PAYLOAD));
    }
  });

  test("is refused where a signature does not hold, or a part is not here", async () => {
    await using api = await open({ kinds: [sealedKind] });
    const missing = await unchanged(api, () => putManifest(api, NAME, "v1", toSealed(PAYLOAD), SEALED));
    expectError(missing, 400, "MANIFEST_BLOB_UNKNOWN");
    await pushBlob(api, NAME, PART);
    const broken = await unchanged(api, () => putManifest(api, NAME, "v1", toSealed(PAYLOAD, ["00"]), SEALED));
    expectError(broken, 400, "MANIFEST_UNVERIFIED");
  });

  test("is named where another type is refused", async () => {
    await using api = await open({ kinds: [sealedKind] });
    const answer = await putManifest(api, NAME, "v1", PAYLOAD, "application/vnd.example.other+json");
    assert.match(String(expectError(answer, 400, "MANIFEST_INVALID")), new RegExp(RegExp.escape(SEALED)));
  });
});
