import type { Manifest } from "./manifest.ts";
import { MediaType } from "./media-types.ts";

/** What a manifest is of, as tokens and `policy.repository.classes` have it. */
export type ManifestClass = "image" | "plugin";

/** Media type of the manifest, that of its config, and what both say. */
const CLASSES: readonly (readonly [string, string, ManifestClass])[] = [
  [MediaType.dockerManifest, MediaType.dockerConfig, "image"],
  [MediaType.dockerManifest, MediaType.dockerPluginConfig, "plugin"],
  [MediaType.ociManifest, MediaType.ociConfig, "image"],
];

const SCHEMA1: readonly string[] = [MediaType.dockerSchema1, MediaType.dockerSchema1Signed];
const INDEXES: readonly string[] = [MediaType.dockerList, MediaType.ociIndex];

/**
 * @returns undefined for an index, which has none: what it lists was pushed before it; `unknown` with the type that tells
 *   nothing for whatever is neither
 * @see auth, section 5, "Resource class"
 */
export function classOf({ mediaType, config }: Manifest): ManifestClass | { readonly unknown: string } | undefined {
  if (INDEXES.includes(mediaType)) return undefined;
  if (SCHEMA1.includes(mediaType)) return "image";
  const row = CLASSES.find(([manifest, type]) => manifest === mediaType && type === config?.mediaType);
  return row?.[2] ?? { unknown: config?.mediaType ?? mediaType };
}
