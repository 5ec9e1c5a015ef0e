/**
 * The domain on one page: a {@link Registry} gives a {@link Repository} by name, each with its blobs, uploads, manifests,
 * tags and referrers. Whoever serves, mirrors, limits or observes a registry sees these interfaces alone; a decorator
 * takes one and returns one.
 *
 * Methods throw the classes of `oci/errors.ts`; anything else is a failure of the storage or of ours.
 */
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest, DigestAlgorithm } from "../oci/digest.ts";
import type { Manifest } from "../oci/manifest.ts";
import type { RepositoryName, Tag } from "../oci/names.ts";
import type { UploadId } from "./upload-id.ts";

export interface Registry extends AsyncDisposable {
  /** A cheap handle, also where nothing of that name exists: each operation finds out for itself. */
  repository(name: RepositoryName): Repository;

  /** Every repository with a manifest or a layer, component by component, so `/` sorts before every other character. */
  repositories(options?: ListOptions<RepositoryName>): AsyncIterable<RepositoryName>;
}

export interface ListOptions<T> {
  /** Begin after this one, which need not exist. */
  readonly after?: T | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Repository {
  readonly name: RepositoryName;
  readonly blobs: BlobService;
  readonly uploads: UploadService;
  readonly manifests: ManifestService;
  readonly tags: TagService;
  readonly referrers: ReferrersService;
}

/** Layers, configurations and whatever else manifests point at, as far as this repository links them. */
export interface BlobService {
  /**
   * What a repository's link and the storage say of a blob. The descriptor carries the digest asked for, also where the
   * bytes are stored under another one.
   * @throws {BlobUnknown}
   */
  open(digest: Digest): Promise<Blob>;

  /**
   * Links a blob of another repository into this one. Without `from`, any repository of the registry that holds it may
   * be the source, as far as one is found quickly.
   * @throws {BlobUnknown} where the source does not hold it
   */
  mount(digest: Digest, from?: RepositoryName): Promise<Descriptor>;

  /**
   * Takes the blob out of this repository. The bytes stay until they are collected.
   * @throws {BlobUnknown}
   * @throws {Unsupported} where deletion is off
   */
  delete(digest: Digest): Promise<void>;
}

/** Nothing is held open until {@link read}. */
export interface Blob {
  readonly descriptor: Descriptor;

  /** @param range whole blob by default; must lie within it */
  read(range?: ByteRange): Promise<BlobReader>;
}

export interface ByteRange {
  readonly start: number;
  /** Bytes. */
  readonly length: number;
}

/** Disposal closes. */
export interface BlobReader extends AsyncDisposable {
  /**
   * Fills some or all of `into` with the next bytes.
   * @returns how many; 0 at the end, which comes early where the storage lost bytes
   */
  read(into: Uint8Array): Promise<number>;
}

/** Sessions live in the storage: any process on the same storage, ours or a peer's, can go on with one. */
export interface UploadService {
  start(options?: UploadOptions): Promise<Upload>;

  /** @throws {UploadUnknown} */
  resume(id: UploadId): Promise<Upload>;
}

export interface UploadOptions {
  /** What the digest will be, where the client said so; saves reading the bytes again at the end. */
  readonly algorithm?: DigestAlgorithm | undefined;
}

/** A session as it stood when it was asked for. Holds nothing open. */
export interface Upload {
  readonly id: UploadId;
  readonly startedAt: Date;
  /** Bytes received. */
  readonly size: number;

  /**
   * Adds bytes behind those received; when it fails, what had arrived stays and the session can be resumed. A later append
   * to the same session takes over from one that still runs, as when a client comes back after its connection died.
   * @throws {RangeInvalid} where the session no longer stands at {@link size}
   */
  append(chunks: AsyncIterable<Uint8Array>, options?: UploadOptions): Promise<Upload>;

  /**
   * Makes the bytes a blob of this repository, durable when the promise resolves.
   * @throws {DigestInvalid} where the bytes have another digest; the session stays
   */
  commit(digest: Digest): Promise<Descriptor>;

  cancel(): Promise<void>;
}

export interface ManifestService {
  /** @throws {ManifestUnknown} */
  get(digest: Digest): Promise<StoredManifest>;

  /** Whether this repository holds that revision. */
  has(digest: Digest): Promise<boolean>;

  /** Every revision of this repository, tagged or not, by digest. */
  list(options?: ListOptions<Digest>): AsyncIterable<Digest>;

  /**
   * Stores a manifest under `digest`, which must be that of its bytes; durable when the promise resolves.
   * @returns what the client should know about it although it was stored, as sentences
   * @throws {RegistryErrors} naming every reference that is missing or not allowed
   */
  put(manifest: Manifest, digest: Digest): Promise<readonly string[]>;

  /**
   * Takes the revision out of this repository, with the tags that point at it.
   * @returns those tags
   * @throws {ManifestUnknown}
   * @throws {Unsupported} where deletion is off
   */
  delete(digest: Digest): Promise<Tag[]>;
}

/** The bytes as they were pushed. Their digest was checked when they were read. */
export interface StoredManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

export interface TagService {
  /** @throws {ManifestUnknown} */
  resolve(tag: Tag): Promise<Digest>;

  /**
   * In byte order.
   * @throws {NameUnknown} where nothing of this repository exists
   */
  list(options?: ListOptions<Tag>): AsyncIterable<Tag>;

  /**
   * @param condition checked in one step with the change; given the current digest or undefined where the tag is new, it
   *   throws to prevent the change
   */
  set(tag: Tag, digest: Digest, condition?: (current: Digest | undefined) => void): Promise<void>;

  /**
   * @throws {ManifestUnknown}
   * @throws {Unsupported} where deletion is off
   */
  delete(tag: Tag): Promise<void>;
}

export interface ReferrersService {
  /** Manifests of this repository whose subject is `subject`, by digest. Empty where there are none. */
  list(subject: Digest, options?: ListOptions<Digest>): AsyncIterable<Descriptor>;
}
