import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isImageManifestType, isIndexType, MediaType } from "./media-types.ts";

describe("media types", () => {
  it("are those of image manifests, of indexes, or of neither", () => {
    const types = Object.values(MediaType);
    assert.deepEqual(types.filter(isImageManifestType), [MediaType.dockerManifest, MediaType.ociManifest]);
    assert.deepEqual(types.filter(isIndexType), [MediaType.dockerList, MediaType.ociIndex]);
  });
});
