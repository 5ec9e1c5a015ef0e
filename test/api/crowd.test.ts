/** Many clients that ask for the same at the same time, of a registry that has just started. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRepositoryName, parseTag } from "../../src/oci/names.ts";
import { PathMapper } from "../../src/registry/paths.ts";
import { canStamp } from "../../src/storage/driver.ts";
import { openFilesystem } from "../../src/storage/filesystem.ts";
import { MemoryDriver } from "../../src/storage/memory.ts";
import { startApi } from "../support/api.ts";
import { json } from "../support/api-content.ts";
import { countingDriver } from "../support/counting-driver.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const CLIENTS = 100;
const TAGS = Array.from({ length: 150 }, (_, index) => `v${100 + index}`);
const LINK = Buffer.from(`sha256:${"a".repeat(64)}`);

for (const storage of ["filesystem", "memory"]) {
  test(`all who list the same tags at once are answered, whatever they ask for of them, on ${storage}`, async (t) => {
    await using folder = await temporaryFolder("crowd");
    const driver =
      storage === "memory" ? new MemoryDriver() : await openFilesystem({ rootdirectory: folder.join("data") });
    const paths = new PathMapper();
    for (const tag of TAGS) await driver.putContent(paths.tagCurrent(parseRepositoryName("a"), parseTag(tag)), LINK);
    const counting = countingDriver(driver);
    await using api = await startApi(counting.driver);
    const whole = Array.from({ length: CLIENTS }, () => api.send("GET", "/v2/a/tags/list"));
    const pages = Array.from({ length: CLIENTS }, () => api.send("GET", "/v2/a/tags/list?n=2&last=v101"));
    for (const answer of await Promise.all(whole)) assert.deepEqual(json(answer), { name: "a", tags: TAGS });
    for (const answer of await Promise.all(pages))
      assert.deepEqual(json(answer), { name: "a", tags: ["v102", "v103"] });
    if (!canStamp(driver)) return t.diagnostic("each looks for itself where there are no stamps");
    const looks = counting.count("stat", /current/);
    assert.ok(looks <= 4 * TAGS.length, `${looks} looks at ${TAGS.length} tags`);
  });
}
