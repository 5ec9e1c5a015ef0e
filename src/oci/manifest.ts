import type { ManifestContents } from "./manifest-kind.ts";

/** Bytes. What a registry takes as a manifest and what it reads back. @see http-api, section 1 */
export const MANIFEST_LIMIT: number = 4 * 1024 * 1024;

/** A manifest of any kind, checked. The bytes are the document; the rest is what they say. */
export interface Manifest extends ManifestContents {
  readonly mediaType: string;
  /** What is stored and named by a digest: as received, never printed anew; without the signatures of a signed one. */
  readonly bytes: Uint8Array;
  /** Of a signed manifest that is pushed: well formed, but not verified yet. */
  readonly signatures?: readonly Uint8Array[];
}
