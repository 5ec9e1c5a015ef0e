import { imageIndex } from "./image-index.ts";
import { imageManifest } from "./image-manifest.ts";
import type { ManifestKind } from "./manifest-kind.ts";
import { type Schema1Options, schema1Kind } from "./schema1/kind.ts";

/** What every registry reads. A new kind is one file and one row. */
export function builtInKinds(schema1: Schema1Options = { enabled: false }): readonly ManifestKind[] {
  return [imageManifest, imageIndex, schema1Kind(schema1)];
}
