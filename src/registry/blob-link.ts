import { type BlobDigest, isOfNothing, isTarsumDigest } from "../oci/blob-digest.ts";
import type { RepositoryName } from "../oci/names.ts";
import { infoOf, readBlobLink } from "./links.ts";
import type { Store } from "./store.ts";

/** A blob as one repository sees it. */
export interface FoundBlob {
  /** What its bytes are stored under. */
  readonly target: BlobDigest;
  readonly size: number;
  /** When the bytes came to where they lie, where the storage tells. ms */
  readonly modified: number | undefined;
}

/** Follows the repository's link. The bytes of a tarsum may lie under the tarsum itself, as in 2014, whatever its link says. */
export async function findBlob(
  store: Store,
  repository: RepositoryName,
  digest: BlobDigest,
): Promise<FoundBlob | undefined> {
  const target = await readBlobLink(store.driver, store.paths.layerLink(repository, digest));
  if (target === undefined) return undefined;
  const found = await findBytes(store, target);
  return found === undefined && isTarsumDigest(digest) && digest !== target ? await findBytes(store, digest) : found;
}

/** A file without bytes under any digest but theirs is what a crash of a peer left: who pushes it again mends it. */
async function findBytes({ driver, paths }: Store, target: BlobDigest): Promise<FoundBlob | undefined> {
  const info = await infoOf(driver, paths.blob(target));
  if (info === undefined || info.isDirectory || (info.size === 0 && !isOfNothing(target))) return undefined;
  return { target, size: info.size, modified: info.modified };
}
