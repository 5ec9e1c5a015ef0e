import { isPresent, present } from "./json-fields.ts";
import {
  checkMediaType,
  checkSchemaVersion,
  type ManifestKind,
  readDescriptors,
  readReferrerFields,
  requireDescriptor,
} from "./manifest-kind.ts";
import { MediaType } from "./media-types.ts";

/**
 * One image or artifact: `{schemaVersion, mediaType, config, layers}`; OCI's may leave out `mediaType` and may have
 * `subject`, `artifactType` and `annotations`.
 * @see OCI image-spec 1.1, manifest.md; Docker image manifest version 2, schema 2
 */
export const imageManifest: ManifestKind = {
  mediaTypes: [MediaType.ociManifest, MediaType.dockerManifest],

  parse(document, mediaType, onFault) {
    const isOci = mediaType === MediaType.ociManifest;
    if (isPresent(document["manifests"])) {
      onFault(`${isOci ? "ocimanifest" : "schema2"}: expected manifest but found index: it must not have manifests`);
    }
    checkMediaType(document, mediaType, { noun: "manifest", optional: isOci }, onFault);
    checkSchemaVersion(document, onFault);
    const config = requireDescriptor(document["config"], "config", onFault);
    const referrer = isOci ? readReferrerFields(document, onFault) : {};
    return {
      layers: readDescriptors(document, "layers", onFault),
      manifests: [],
      ...referrer,
      ...present({ config, artifactType: referrer.artifactType ?? (config?.mediaType || undefined) }),
    };
  },
};
