import type { BlobDigest } from "../oci/blob-digest.ts";
import type { Digest } from "../oci/digest.ts";
import type { RepositoryName } from "../oci/names.ts";
import type { CacheCounts } from "./lookup-counts.ts";

/**
 * What repositories hold, as far as it was looked up lately. An entry answers instead of the storage, so it is at once the
 * answer to "may this repository's readers see it": each is of one repository.
 *
 * No method ever rejects, or takes longer than a moment: a cache that is down, slow or full of nonsense has nothing.
 * What is cleared stays away until it is set by somebody who looked after that. That nothing is held is never remembered.
 */
export interface DescriptorCache extends AsyncDisposable {
  readonly blobs: BlobCache;
  readonly revisions: RevisionCache;
  /** There where the cache counts; to be read at any time. */
  readonly counts?: CacheCounts;
}

export interface BlobCache {
  get(repository: RepositoryName, digest: BlobDigest): Promise<CachedBlob | undefined>;

  /** To be called by whoever has just seen the repository's link and the bytes in the storage. */
  set(repository: RepositoryName, digest: BlobDigest, blob: CachedBlob): Promise<void>;

  /** From when the promise resolves, nobody gets what was set before. */
  clear(repository: RepositoryName, digest: BlobDigest): Promise<void>;
}

export interface CachedBlob {
  /** What its bytes are stored under. */
  readonly target: BlobDigest;
  /** Bytes. */
  readonly size: number;
}

/** Which manifests a repository holds. */
export interface RevisionCache {
  has(repository: RepositoryName, digest: Digest): Promise<boolean>;
  set(repository: RepositoryName, digest: Digest): Promise<void>;
  clear(repository: RepositoryName, digest: Digest): Promise<void>;
}

/**
 * How long an entry counts where others may write to the storage without telling. So much later than their deletion, a
 * client may still be told that something is there; nobody can act on that in a harmful way, because a push asks the
 * storage. Long enough to spare the storage the bursts in which many nodes pull one image. ms
 */
export const SHARED_LIFETIME = 10_000;
