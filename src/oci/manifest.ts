import type { Descriptor } from "./descriptor.ts";

/** A manifest of any kind, checked. The bytes are the document; the rest is what they say. */
export interface Manifest {
  readonly mediaType: string;
  /** As received; never printed anew. */
  readonly bytes: Uint8Array;
  /** Image manifests. */
  readonly config?: Descriptor;
  /** Image manifests; empty for indexes. */
  readonly layers: readonly Descriptor[];
  /** Children of an index; empty for image manifests. */
  readonly manifests: readonly Descriptor[];
  readonly subject?: Descriptor;
  /** As a referrers list shows it: `artifactType`, else, for an image manifest, the type of its config. */
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}
