import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { tarEntry, tarOf } from "../../test/support/tar.ts";
import { tarsumByHand } from "../../test/support/tarsum.ts";
import { openRegistry } from "../library.ts";
import type { BlobDescriptor } from "../oci/descriptor.ts";
import { digestOf } from "../oci/digest.ts";
import { RegistryErrors } from "../oci/errors.ts";
import type { Manifest } from "../oci/manifest.ts";
import { MediaType } from "../oci/media-types.ts";
import { parseRepositoryName } from "../oci/names.ts";
import { parseTarsum } from "../oci/tarsum.ts";
import { MemoryDriver } from "../storage/memory.ts";

const NAME = parseRepositoryName("a/b");
const TAR = tarOf([tarEntry({ name: "a" }, "abc")]);
const TARSUM = parseTarsum(tarsumByHand(TAR, "v1"));
const BYTES = Buffer.from("{}");

/** Of a type that no kind signs. */
function withLayer(layer: Omit<BlobDescriptor, "digest">): Manifest {
  const layers = [{ ...layer, digest: TARSUM }];
  return { mediaType: "application/vnd.example.manifest", bytes: BYTES, layers, manifests: [] };
}

describe("a manifest whose layer is named by a tarsum", () => {
  it("is refused while that layer is missing, and taken when it was uploaded under it", async () => {
    await using registry = openRegistry({ driver: new MemoryDriver() });
    const { manifests, uploads } = registry.repository(NAME);
    const manifest = withLayer({ mediaType: MediaType.dockerSchema1Layer, size: 0 });
    await assert.rejects(
      manifests.put(manifest, digestOf(BYTES)),
      (error) =>
        error instanceof RegistryErrors &&
        error.errors.every(({ code, detail }) => code === "MANIFEST_BLOB_UNKNOWN" && detail === TARSUM),
    );
    const upload = await (await uploads.start()).append(TAR);
    const { digest, size } = await upload.commit(TARSUM);
    assert.deepEqual({ digest, size }, { digest: digestOf(TAR), size: TAR.length });
    assert.deepEqual(await manifests.put(manifest, digestOf(BYTES)), [], "size 0 is no size");
  });

  it("is told of another size where it states one", async () => {
    await using registry = openRegistry({ driver: new MemoryDriver() });
    const { manifests, uploads } = registry.repository(NAME);
    await (await (await uploads.start()).append([TAR])).commit(TARSUM);
    const manifest = withLayer({ mediaType: MediaType.ociLayer, size: 1 });
    const warnings = await manifests.put(manifest, digestOf(BYTES));
    assert.deepEqual(warnings, [`${TARSUM} has another size than the manifest states`]);
  });
});
