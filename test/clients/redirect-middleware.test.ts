import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { PathMapper } from "../../src/registry/paths.ts";
import { unlessDebian, unlessDebianRoot } from "../setup.ts";
import { ContainerTools } from "../support/container-tools.ts";
import { type FileServer, serveFolder } from "../support/file-server.ts";
import { describeTree } from "../support/file-tree.ts";
import type { Image } from "../support/image.ts";
import { RegistryClient } from "../support/registry-client.ts";
import { type RegistryProcess, startRegistry } from "../support/registry-process.ts";
import { makeSamples, type Samples } from "../support/samples.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";

interface Place extends AsyncDisposable {
  readonly files: FileServer;
  readonly registry: RegistryProcess;
  readonly samples: Samples;
  readonly tools: ContainerTools;
}

describe("the middleware redirect, to a server of the registry's folder", () => {
  test("gives skopeo every blob from there", { skip: unlessDebian("skopeo", "umoci") }, async () => {
    await using folder = await temporaryFolder("redirect");
    await using place = await open(folder);
    const { files, registry, samples, tools } = place;
    await new RegistryClient(registry.url).push("far/away", "v1", samples.oci);
    assert.deepEqual(await tools.pullAndUnpack(`${registry.host}/far/away:v1`), samples.files);
    assert.deepEqual(files.requests.toSorted(), requestsFor(samples.oci));
  });

  test("gives podman every blob from there", { skip: unlessDebianRoot("podman") }, async () => {
    await using folder = await temporaryFolder("redirect");
    await using place = await open(folder);
    const { files, registry, samples, tools } = place;
    const image = `${registry.host}/far/away:v1`;
    await new RegistryClient(registry.url).push("far/away", "v1", samples.docker);
    await tools.podmanTransfer("pull", "--quiet", image);
    const mounted = await tools.podman("image", "mount", image);
    assert.deepEqual(await describeTree(mounted.trim()), samples.files);
    await tools.podman("image", "unmount", "--all");
    assert.deepEqual(files.requests.toSorted(), requestsFor(samples.docker));
  });
});

async function open(folder: TemporaryFolder): Promise<Place> {
  await using owned = new AsyncDisposableStack();
  const rootDirectory = folder.join("data");
  const files = owned.use(await serveFolder(rootDirectory));
  const env = {
    REGISTRY_MIDDLEWARE_STORAGE: `[{name: redirect, options: {baseurl: "${files.origin}"}}]`,
  };
  const registry = owned.use(await startRegistry("wharfinger", { rootDirectory, env }));
  const [samples, tools] = [await makeSamples(folder.join("samples")), await ContainerTools.create(folder)];
  const kept = owned.move();
  return { files, registry, samples, tools, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

function requestsFor(image: Image): readonly string[] {
  return image.blobs.map(({ descriptor }) => `GET ${new PathMapper().blob(descriptor.digest)}`).toSorted();
}
