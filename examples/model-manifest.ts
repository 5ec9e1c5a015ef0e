/**
 * A kind of manifests of one's own, for models:
 * `{"schemaVersion": 2, "mediaType": "application/vnd.example.model.v1+json", "weights": [descriptor, …]}`.
 * own-parts.yml names it for `wharfinger serve`, own-parts.ts passes it in.
 */
import { type ManifestKind, readDescriptors } from "wharfinger";

export const manifestKind: ManifestKind = {
  mediaTypes: ["application/vnd.example.model.v1+json"],

  parse(document, _mediaType, onFault) {
    const weights = readDescriptors(document, "weights", onFault);
    return { layers: weights, manifests: [] }; // layers: blobs that must be there
  },
};
