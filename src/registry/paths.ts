/**
 * Where everything lies, as docker/distribution lays it out:
 *
 *     /docker/registry/v2
 *     ├── blobs/<alg>/<aa>/<hex>/data                            bytes of layers, configurations, manifests
 *     └── repositories/<name>
 *         ├── _layers/<alg>/<hex>/link                           digest of a blob of this repository
 *         ├── _manifests
 *         │   ├── revisions/<alg>/<hex>
 *         │   │   ├── link                                       digest of a manifest of this repository
 *         │   │   └── signatures/<alg>/<hex>/link                digest of a signature, until 2016
 *         │   └── tags/<tag>
 *         │       ├── current/link                               what the tag points at
 *         │       └── index/<alg>/<hex>/link                     what it ever pointed at
 *         ├── _uploads/<uuid>
 *         │   ├── startedat                                      RFC 3339, UTC
 *         │   ├── data                                           bytes received
 *         │   ├── data.<uuid>                                    ours: bytes on their way to being a blob
 *         │   ├── hashstates/<alg>/<offset>                      the hash after so many bytes, for the peers
 *         │   └── _wharfinger/hash                               ours: the same, and of which bytes
 *         └── _wharfinger/referrers                              ours; no walk of the peers looks below it
 *             ├── seen                                           digests of the revisions the table knows
 *             └── <subject alg>/<subject hex>/<alg>/<hex>        descriptor of a referrer, JSON
 *
 * Layers of 2014 and 2015 may be named by a tarsum: `<alg>` is then `tarsum/<version, or v0>/<hash>`, and so in `blobs`
 * until January 2015, since when the link of a tarsum names a sha256.
 *
 * `<aa>` are the first two characters of `<hex>`. A link is the bare text of a digest; it may name another digest than its
 * path does (an alias, such as the sha512 name of bytes stored under sha256).
 *
 * @see storage-layout, section 1
 */
import { type BlobDigest, isTarsumDigest } from "../oci/blob-digest.ts";
import { algorithmOf, type Digest, type DigestAlgorithm, encodedOf } from "../oci/digest.ts";
import type { RepositoryName, Tag } from "../oci/names.ts";
import { blobPathOf, layerPathOf } from "../oci/tarsum.ts";
import { isPath } from "../storage/driver.ts";
import type { UploadId } from "./upload-id.ts";

/** A repository is one that has at least one of these folders. */
export const REPOSITORY_MARKERS: readonly string[] = ["_manifests", "_layers"];

export const UPLOADS = "_uploads";

/**
 * Says where everything lies. One of one's own may begin elsewhere or place blobs in another way; what is listed by its
 * folder (repositories, revisions, tags, uploads) has to keep the last components of its path.
 */
export class PathMapper {
  /** Absolute, without a slash at its end. */
  readonly root: string;

  /** @throws {TypeError} where no driver could take such a path */
  constructor(root = "/docker/registry/v2") {
    if (!isPath(root))
      throw new TypeError(`the root of a registry must be a path such as /docker/registry/v2, not ${root}`);
    this.root = root;
  }

  /** The parent of all repositories' folders. */
  get repositories(): string {
    return `${this.root}/repositories`;
  }

  repository(name: RepositoryName): string {
    return `${this.repositories}/${name}`;
  }

  /** The folder of all blobs. */
  get blobs(): string {
    return `${this.root}/blobs`;
  }

  blob(digest: BlobDigest): string {
    if (isTarsumDigest(digest)) return `${this.blobs}/${blobPathOf(digest)}/data`;
    const hex = encodedOf(digest);
    return `${this.blobs}/${algorithmOf(digest)}/${hex.slice(0, 2)}/${hex}/data`;
  }

  layerLink(name: RepositoryName, digest: BlobDigest): string {
    const parts = isTarsumDigest(digest) ? layerPathOf(digest) : twoParts(digest);
    return `${this.repository(name)}/_layers/${parts}/link`;
  }

  revisions(name: RepositoryName, algorithm: DigestAlgorithm): string {
    return `${this.repository(name)}/_manifests/revisions/${algorithm}`;
  }

  revisionLink(name: RepositoryName, digest: Digest): string {
    return `${this.#revision(name, digest)}/link`;
  }

  /** The folder of all signatures of a manifest, whatever their algorithm. */
  signatures(name: RepositoryName, digest: Digest): string {
    return `${this.#revision(name, digest)}/signatures`;
  }

  signatureLink(name: RepositoryName, digest: Digest, signature: Digest): string {
    return `${this.signatures(name, digest)}/${twoParts(signature)}/link`;
  }

  tags(name: RepositoryName): string {
    return `${this.repository(name)}/_manifests/tags`;
  }

  tag(name: RepositoryName, tag: Tag): string {
    return `${this.tags(name)}/${tag}`;
  }

  tagCurrent(name: RepositoryName, tag: Tag): string {
    return `${this.tag(name, tag)}/current/link`;
  }

  tagIndex(name: RepositoryName, tag: Tag, digest: Digest): string {
    return `${this.tag(name, tag)}/index/${twoParts(digest)}/link`;
  }

  upload(name: RepositoryName, id: UploadId): string {
    return `${this.repository(name)}/${UPLOADS}/${id}`;
  }

  uploadData(name: RepositoryName, id: UploadId): string {
    return `${this.upload(name, id)}/data`;
  }

  /** Where nobody else looks for the data while it becomes a blob. */
  uploadTaken(name: RepositoryName, id: UploadId, taker: string): string {
    return `${this.uploadData(name, id)}.${taker}`;
  }

  uploadStarted(name: RepositoryName, id: UploadId): string {
    return `${this.upload(name, id)}/startedat`;
  }

  /** @param offset bytes hashed */
  hashState(name: RepositoryName, id: UploadId, algorithm: DigestAlgorithm, offset: number): string {
    return `${this.upload(name, id)}/hashstates/${algorithm}/${offset}`;
  }

  uploadHash(name: RepositoryName, id: UploadId): string {
    return `${this.upload(name, id)}/_wharfinger/hash`;
  }

  /** The folder of a subject's referrers. */
  referrers(name: RepositoryName, subject: Digest): string {
    return `${this.repository(name)}/_wharfinger/referrers/${twoParts(subject)}`;
  }

  referrer(name: RepositoryName, subject: Digest, referrer: Digest): string {
    return `${this.referrers(name, subject)}/${twoParts(referrer)}`;
  }

  referrersSeen(name: RepositoryName): string {
    return `${this.repository(name)}/_wharfinger/referrers/seen`;
  }

  #revision(name: RepositoryName, digest: Digest): string {
    return `${this.repository(name)}/_manifests/revisions/${twoParts(digest)}`;
  }
}

function twoParts(digest: Digest): string {
  return `${algorithmOf(digest)}/${encodedOf(digest)}`;
}
