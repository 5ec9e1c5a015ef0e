import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { PathMapper } from "../../src/registry/paths.ts";
import { unlessDebian } from "../setup.ts";
import { startApi } from "../support/api.ts";
import { ContainerTools } from "../support/container-tools.ts";
import { writeOciLayout } from "../support/oci-layout.ts";
import { openRedirectingStorage } from "../support/redirecting-storage.ts";
import { makeSamples } from "../support/samples.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

describe("a storage that clients are redirected to", { skip: unlessDebian("skopeo", "umoci") }, () => {
  test("gives skopeo every blob of an image, and tells it on a second push that they are there", async () => {
    await using folder = await temporaryFolder("redirect");
    await using storage = await openRedirectingStorage();
    await using api = await startApi(storage.driver);
    const tools = await ContainerTools.create(folder);
    const samples = await makeSamples(folder.path);
    await writeOciLayout(folder.join("layout"), { v1: samples.oci });
    const image = `${api.origin.replace("http://", "")}/far/away:v1`;
    const push = (): Promise<string> => tools.skopeo("copy", `oci:${folder.join("layout")}:v1`, `docker://${image}`);
    const asked = (method: string): readonly string[] =>
      storage.requests.filter((request) => request.startsWith(method)).sort();
    const expected = (method: string): readonly string[] =>
      samples.oci.blobs
        .map(({ descriptor }) => `${method} ${new PathMapper().blob(descriptor.digest)}?signed-for=${method}`)
        .sort();

    await push();
    assert.deepEqual(storage.requests, []);
    assert.deepEqual(await tools.pullAndUnpack(image), samples.files);
    assert.deepEqual(asked("GET"), expected("GET"));
    await push();
    assert.deepEqual(asked("HEAD"), expected("HEAD"));
  });
});
