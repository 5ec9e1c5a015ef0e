/**
 * Where everything lies, as docker/distribution lays it out:
 *
 *     /docker/registry/v2
 *     ├── blobs/<alg>/<aa>/<hex>/data                            bytes of layers, configurations, manifests
 *     └── repositories/<name>
 *         ├── _layers/<alg>/<hex>/link                           digest of a blob of this repository
 *         ├── _manifests
 *         │   ├── revisions/<alg>/<hex>/link                     digest of a manifest of this repository
 *         │   └── tags/<tag>
 *         │       ├── current/link                               what the tag points at
 *         │       └── index/<alg>/<hex>/link                     what it ever pointed at
 *         ├── _uploads/<uuid>
 *         │   ├── startedat                                      RFC 3339, UTC
 *         │   ├── data                                           bytes received
 *         │   ├── data.<uuid>                                    ours: bytes on their way to being a blob
 *         │   └── hashstates/<alg>/<offset>                      the peers' hash after so many bytes
 *         └── _wharfinger/referrers                              ours; no walk of the peers looks below it
 *             ├── seen                                           digests of the revisions the table knows
 *             └── <subject alg>/<subject hex>/<alg>/<hex>        descriptor of a referrer, JSON
 *
 * `<aa>` are the first two characters of `<hex>`. A link is the bare text of a digest; it may name another digest than its
 * path does (an alias, such as the sha512 name of bytes stored under sha256).
 *
 * @see storage-layout, section 1
 */
import { algorithmOf, type Digest, type DigestAlgorithm, encodedOf } from "../oci/digest.ts";
import type { RepositoryName, Tag } from "../oci/names.ts";
import type { UploadId } from "./upload-id.ts";

const ROOT = "/docker/registry/v2";

/** The parent of all repositories' folders. */
export const REPOSITORIES: string = `${ROOT}/repositories`;

/** A repository is one that has at least one of these folders. */
export const REPOSITORY_MARKERS: readonly string[] = ["_manifests", "_layers"];

export const UPLOADS = "_uploads";

export function repositoryPath(name: RepositoryName): string {
  return `${REPOSITORIES}/${name}`;
}

export function blobPath(digest: Digest): string {
  const hex = encodedOf(digest);
  return `${ROOT}/blobs/${algorithmOf(digest)}/${hex.slice(0, 2)}/${hex}/data`;
}

export function layerLinkPath(name: RepositoryName, digest: Digest): string {
  return `${repositoryPath(name)}/_layers/${twoParts(digest)}/link`;
}

export function revisionsPath(name: RepositoryName, algorithm: DigestAlgorithm): string {
  return `${repositoryPath(name)}/_manifests/revisions/${algorithm}`;
}

export function revisionLinkPath(name: RepositoryName, digest: Digest): string {
  return `${repositoryPath(name)}/_manifests/revisions/${twoParts(digest)}/link`;
}

export function tagsPath(name: RepositoryName): string {
  return `${repositoryPath(name)}/_manifests/tags`;
}

export function tagPath(name: RepositoryName, tag: Tag): string {
  return `${tagsPath(name)}/${tag}`;
}

export function tagCurrentPath(name: RepositoryName, tag: Tag): string {
  return `${tagPath(name, tag)}/current/link`;
}

export function tagIndexPath(name: RepositoryName, tag: Tag, digest: Digest): string {
  return `${tagPath(name, tag)}/index/${twoParts(digest)}/link`;
}

export function uploadPath(name: RepositoryName, id: UploadId): string {
  return `${repositoryPath(name)}/${UPLOADS}/${id}`;
}

export function uploadDataPath(name: RepositoryName, id: UploadId): string {
  return `${uploadPath(name, id)}/data`;
}

/** Where nobody else looks for the data while it becomes a blob. */
export function uploadTakenPath(name: RepositoryName, id: UploadId, taker: string): string {
  return `${uploadDataPath(name, id)}.${taker}`;
}

export function uploadStartedPath(name: RepositoryName, id: UploadId): string {
  return `${uploadPath(name, id)}/startedat`;
}

/** @param offset bytes hashed */
export function hashStatePath(name: RepositoryName, id: UploadId, algorithm: DigestAlgorithm, offset: number): string {
  return `${uploadPath(name, id)}/hashstates/${algorithm}/${offset}`;
}

/** The folder of a subject's referrers. */
export function referrersPath(name: RepositoryName, subject: Digest): string {
  return `${repositoryPath(name)}/_wharfinger/referrers/${twoParts(subject)}`;
}

export function referrerPath(name: RepositoryName, subject: Digest, referrer: Digest): string {
  return `${referrersPath(name, subject)}/${twoParts(referrer)}`;
}

export function referrersSeenPath(name: RepositoryName): string {
  return `${repositoryPath(name)}/_wharfinger/referrers/seen`;
}

function twoParts(digest: Digest): string {
  return `${algorithmOf(digest)}/${encodedOf(digest)}`;
}
