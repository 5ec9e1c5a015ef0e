import assert from "node:assert/strict";
import { test } from "node:test";
import { unlessDebian } from "../setup.ts";
import { ContainerTools } from "../support/container-tools.ts";
import { writeOciLayout } from "../support/oci-layout.ts";
import { startRegistry } from "../support/registry-process.ts";
import { makeSamples } from "../support/samples.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

test("skopeo pushes to several workers at once and pulls what it pushed", {
  skip: unlessDebian("skopeo", "umoci"),
}, async () => {
  await using folder = await temporaryFolder("workers-skopeo");
  const options = { rootDirectory: folder.join("registry"), configuration: { wharfinger: { workers: 2 } } };
  await using registry = await startRegistry("wharfinger", options);
  const tools = await ContainerTools.create(folder);
  const samples = await makeSamples(folder.path);
  await writeOciLayout(folder.join("layout"), { v1: samples.oci });
  const images = Array.from({ length: 4 }, (_, index) => `${registry.host}/skopeo/image-${index}:v1`);
  const push = (image: string): Promise<string> =>
    tools.skopeo("copy", `oci:${folder.join("layout")}:v1`, `docker://${image}`);
  await Promise.all(images.map(push));
  for (const image of images) assert.deepEqual(await tools.pullAndUnpack(image), samples.files);
});
