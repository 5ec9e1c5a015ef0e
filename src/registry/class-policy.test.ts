import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { digestOf } from "../oci/digest.ts";
import { Denied } from "../oci/errors.ts";
import type { Manifest } from "../oci/manifest.ts";
import { MediaType } from "../oci/media-types.ts";
import { limitClasses } from "./class-policy.ts";
import type { ManifestService, Repository } from "./registry.ts";

const BYTES = Buffer.from("{}");
const DIGEST = digestOf(BYTES);

function manifest(mediaType: string, configType?: string): Manifest {
  const config = configType === undefined ? {} : { config: { mediaType: configType, digest: DIGEST, size: 2 } };
  return { mediaType, bytes: BYTES, layers: [], manifests: [], ...config };
}

const IMAGE = manifest(MediaType.ociManifest, MediaType.ociConfig);

/** @returns what is thrown, or nothing where the manifest reached the repository */
async function put(
  one: Manifest,
  classes: readonly string[],
  mayPush = (_: string): boolean => true,
): Promise<unknown> {
  const stored: Manifest[] = [];
  const manifests = {
    put: async (given: Manifest) => {
      stored.push(given);
      return [];
    },
  } as unknown as ManifestService;
  const limited = limitClasses(classes)?.({ manifests } as unknown as Repository, mayPush) ?? assert.fail("no rule");
  try {
    await limited.manifests.put(one, DIGEST);
    assert.deepEqual(stored, [one]);
    return undefined;
  } catch (error) {
    assert.deepEqual(stored, [], "it was stored");
    assert.ok(error instanceof Denied);
    return error.message;
  }
}

describe("a rule for the classes of manifests", () => {
  it("is none where no class is listed", () => {
    assert.equal(limitClasses([]), undefined);
  });

  it("takes what is of a listed class, and what has none of its own", async () => {
    assert.equal(await put(IMAGE, ["image"]), undefined);
    for (const type of [MediaType.ociIndex, MediaType.dockerList]) {
      assert.equal(await put(manifest(type), ["plugin"]), undefined);
    }
    assert.equal(await put(manifest(MediaType.dockerSchema1), ["image"]), undefined);
  });

  it("refuses what is of another class, and what is of no known one", async () => {
    assert.equal(await put(IMAGE, ["plugin"]), "registry does not allow image manifest");
    const schema1 = manifest(MediaType.dockerSchema1Signed);
    assert.equal(await put(schema1, ["plugin"]), "registry does not allow image manifest");
    const artifact = manifest(MediaType.ociManifest, "application/vnd.oci.empty.v1+json");
    assert.equal(await put(artifact, ["image"]), "unknown manifest class for application/vnd.oci.empty.v1+json");
    const own = manifest("application/vnd.example.model+json");
    assert.equal(await put(own, ["image"]), "unknown manifest class for application/vnd.example.model+json");
    const odd = manifest(MediaType.ociManifest, "constructor");
    assert.equal(await put(odd, ["image"]), "unknown manifest class for constructor");
  });

  it("refuses what whoever pushes may not push", async () => {
    const plugins = (manifestClass: string): boolean => manifestClass === "plugin";
    assert.equal(await put(IMAGE, ["image", "plugin"], plugins), "repository not authorized for image manifest");
    assert.equal(await put(manifest(MediaType.ociIndex), ["image"], plugins), undefined);
  });
});
