import { LRUCache } from "lru-cache";
import type { Digest } from "../oci/digest.ts";

/** Bytes of all blobs together. */
const MOST_BYTES = 16 * 1024 * 1024;

/** What one blob costs beside its bytes. */
const OVERHEAD = 512;

/** Bytes of a blob that is remembered: configurations, signatures, small layers. */
export const SMALL_BLOB: number = 64 * 1024;

/** Small blobs sent lately, by their digest, which was checked. As with `ManifestMemory`, nothing ever has to be taken back. */
export class BlobMemory {
  readonly #blobs = new LRUCache<Digest, Uint8Array>({
    maxSize: MOST_BYTES,
    sizeCalculation: (bytes) => bytes.length + OVERHEAD,
  });

  /** @returns bytes that others have too */
  get(digest: Digest): Uint8Array | undefined {
    return this.#blobs.get(digest);
  }

  set(digest: Digest, bytes: Uint8Array): void {
    this.#blobs.set(digest, bytes);
  }
}
