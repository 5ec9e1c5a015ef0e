import type { Descriptor } from "./descriptor.ts";
import { isDigest } from "./digest.ts";
import { ManifestInvalid } from "./errors.ts";
import { isJsonObject, optionalArray } from "./json-fields.ts";
import type { ManifestKind } from "./manifest-kind.ts";
import { MediaType } from "./media-types.ts";

/**
 * Docker's first manifests: `{schemaVersion: 1, name, tag, architecture, fsLayers: [{blobSum}], history, signatures}`.
 * They are read where they lie in the storage and not taken from clients.
 */
export const schema1Manifest: ManifestKind = {
  mediaTypes: [MediaType.dockerSchema1Signed, MediaType.dockerSchema1],

  parse(document, _mediaType, onFault) {
    onFault(
      "schema 1 manifests are not enabled: push this image as schema 2 or OCI, which Docker does since version 1.10",
    );
    const layers = optionalArray(document["fsLayers"], "fsLayers", onFault) ?? [];
    return { layers: layers.map(toDescriptor), manifests: [] };
  },
};

/**
 * The document states no sizes: they read 0.
 * @throws {ManifestInvalid} for the digests of Docker 1.3 to 1.5 (`tarsum+…`), which say more than nothing: what such a
 *   manifest refers to is not known, so nothing may be concluded from it
 */
function toDescriptor(layer: unknown): Descriptor {
  const digest = isJsonObject(layer) ? layer["blobSum"] : undefined;
  if (typeof digest === "string" && isDigest(digest))
    return { mediaType: MediaType.dockerSchema1Layer, digest, size: 0 };
  throw new ManifestInvalid("a layer of this schema 1 manifest is not named by its sha256, sha384 or sha512");
}
