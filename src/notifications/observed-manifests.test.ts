import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { imageOf } from "../../test/support/image.ts";
import { openRegistry } from "../library.ts";
import { ManifestUnknown, PreconditionFailed } from "../oci/errors.ts";
import type { Manifest } from "../oci/manifest.ts";
import { parseRepositoryName, parseTag } from "../oci/names.ts";
import type { Registry, Repository } from "../registry/registry.ts";
import { MemoryDriver } from "../storage/memory.ts";
import { observeRepository } from "./observed-repository.ts";
import { Observer } from "./observer.ts";

const IMAGE = imageOf([]);
const { digest } = IMAGE.manifest.descriptor;
const [ONE, TWO] = [parseTag("one"), parseTag("two")];
const REQUEST = { id: "", address: "", host: "", method: "", userAgent: "", user: "" };

/** A repository that holds the image's configuration, and the tags that its pushes were told with. */
async function observed(registry: Registry): Promise<[Repository, Manifest, readonly string[]]> {
  const told: string[] = [];
  const keep = async (events: readonly { readonly target: { readonly tag?: string } }[]): Promise<void> => {
    told.push(...events.map(({ target }) => target.tag ?? "-"));
  };
  const sink = { keep, note: () => undefined, complain: () => undefined };
  const inner = registry.repository(parseRepositoryName("n"));
  for (const { bytes, descriptor } of IMAGE.blobs) {
    await (await (await inner.uploads.start()).append(bytes)).commit(descriptor.digest);
  }
  const observer = new Observer({ kinds: registry.kinds, references: false }, sink, REQUEST, "/");
  const manifest = registry.kinds.parse(IMAGE.manifest.bytes, IMAGE.manifest.descriptor.mediaType);
  return [observeRepository(inner, observer), manifest, told];
}

function refuse(): never {
  throw new PreconditionFailed("no");
}

describe("a manifest that is stored to be tagged", () => {
  it("is told without a tag where its tag is refused", async () => {
    await using registry = openRegistry({ driver: new MemoryDriver() });
    const [repository, manifest, told] = await observed(registry);
    await repository.manifests.put(manifest, digest, { tags: [ONE] });
    assert.deepEqual(told, []);
    await assert.rejects(repository.tags.set(ONE, digest, refuse), PreconditionFailed);
    await assert.rejects(repository.tags.set(ONE, digest, refuse), PreconditionFailed);
    assert.deepEqual(told, ["-"]);
  });

  it("is not told once more without a tag where another of its tags is refused", async () => {
    await using registry = openRegistry({ driver: new MemoryDriver() });
    const [repository, manifest, told] = await observed(registry);
    await repository.manifests.put(manifest, digest, { tags: [ONE, TWO] });
    await repository.tags.set(ONE, digest);
    await assert.rejects(repository.tags.set(TWO, digest, refuse), PreconditionFailed);
    assert.deepEqual(told, ["one"]);
  });

  it("is told once where it was deleted before it was tagged, and is stored again", async () => {
    await using registry = openRegistry({ driver: new MemoryDriver(), deletion: true });
    const [repository, manifest, told] = await observed(registry);
    await repository.manifests.put(manifest, digest, { tags: [ONE] });
    await registry.repository(repository.name).manifests.delete(digest);
    await assert.rejects(repository.tags.set(ONE, digest), ManifestUnknown);
    await repository.manifests.put(manifest, digest);
    await repository.tags.set(ONE, digest);
    assert.deepEqual(told, ["one"]);
  });

  it("is told at once where it is tagged later, or by another", async () => {
    await using registry = openRegistry({ driver: new MemoryDriver() });
    const [repository, manifest, told] = await observed(registry);
    await repository.manifests.put(manifest, digest);
    await repository.tags.set(ONE, digest);
    assert.deepEqual(told, ["-"]);
  });
});
