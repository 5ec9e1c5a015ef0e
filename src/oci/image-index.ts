import { isPresent } from "./json-fields.ts";
import {
  checkMediaType,
  checkSchemaVersion,
  type ManifestKind,
  readDescriptors,
  readReferrerFields,
} from "./manifest-kind.ts";
import { MediaType } from "./media-types.ts";

/**
 * A list of manifests, often one a platform: `{schemaVersion, mediaType, manifests}`; OCI's may leave out `mediaType` and
 * may have `subject`, `artifactType` and `annotations`.
 * @see OCI image-spec 1.1, image-index.md; Docker image manifest version 2, manifest list
 */
export const imageIndex: ManifestKind = {
  mediaTypes: [MediaType.ociIndex, MediaType.dockerList],

  parse(document, mediaType, onFault) {
    const isOci = mediaType === MediaType.ociIndex;
    if (isPresent(document["config"]) || isPresent(document["layers"])) {
      const kind = isOci ? "index" : "manifestlist";
      onFault(`${kind}: expected index but found manifest: it must have neither config nor layers`);
    }
    checkMediaType(document, mediaType, { noun: isOci ? "image index" : "manifest list", optional: isOci }, onFault);
    checkSchemaVersion(document, onFault);
    return {
      layers: [],
      manifests: readDescriptors(document, "manifests", onFault),
      ...(isOci ? readReferrerFields(document, onFault) : {}),
    };
  },
};
