import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { failingDriver } from "../../test/support/failing-driver.ts";
import { ecSigner, schema1Fields, signedFixture } from "../../test/support/schema1-fixture.ts";
import { signaturesFolder } from "../../test/support/schema1-stored.ts";
import { openRegistry } from "../library.ts";
import { digestOf } from "../oci/digest.ts";
import { parseRepositoryName, parseTag } from "../oci/names.ts";
import { MemoryDriver } from "../storage/memory.ts";

const NAME = parseRepositoryName("library/old");
const TAG = parseTag("v1");

describe("deleting a manifest", () => {
  it("succeeds with a warning where its signatures stay behind", async () => {
    const { driver, fail } = failingDriver(new MemoryDriver());
    const warnings: unknown[] = [];
    const warn = (...parameters: unknown[]): unknown => warnings.push(parameters);
    const registry = openRegistry({ driver, warn, deletion: true, schema1: { enabled: true } });
    const { manifests, tags, signatures } = registry.repository(NAME);
    const made = signedFixture(schema1Fields({ fsLayers: [], history: [] }), [ecSigner()]);
    const digest = digestOf(made.payload);
    await manifests.put(registry.kinds.parse(made.document, undefined), digest);
    await tags.set(TAG, digest);
    await signatures.put(digest, ...made.signatures.map((one) => Buffer.from(JSON.stringify(one))));
    const folder = signaturesFolder(NAME, digest);
    fail("delete", (path) => (path === folder ? new Error("busy") : undefined));
    assert.deepEqual(await manifests.delete(digest), [TAG]);
    assert.deepEqual([await manifests.has(digest), await tags.has(TAG)], [false, false]);
    assert.deepEqual(warnings, [
      ["the signatures of a deleted manifest stay behind", { repository: NAME, digest, reason: "busy" }],
    ]);
  });
});
