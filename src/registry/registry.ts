/**
 * The domain on one page: a {@link Registry} gives a {@link Repository} by name, each with its blobs, uploads, manifests,
 * tags and referrers. Whoever serves, mirrors, limits or observes a registry sees these interfaces alone; a decorator
 * takes one and returns one.
 *
 * Methods throw the classes of `oci/errors.ts`; anything else is a failure of the storage or of ours.
 */
import type { BlobDigest } from "../oci/blob-digest.ts";
import type { BlobDescriptor, Descriptor, MountedBlob } from "../oci/descriptor.ts";
import type { Digest, DigestAlgorithm } from "../oci/digest.ts";
import type { Manifest } from "../oci/manifest.ts";
import type { ManifestKinds } from "../oci/manifest-kinds.ts";
import type { RepositoryName, Tag } from "../oci/names.ts";
import type { RedirectRequest } from "../storage/driver.ts";
import type { UploadId } from "./upload-id.ts";

/**
 * Disposal waits for the calls on the storage that run, then closes readers and uploads, whose bytes stay. Whatever is
 * asked of the registry, its services, blobs and readers from its beginning on fails with `RegistryClosed`.
 */
export interface Registry extends AsyncDisposable {
  /** The manifests that this registry takes and reads. */
  readonly kinds: ManifestKinds;

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
  readonly signatures: SignatureService;
  /** Only where the registry has schema 1 enabled. */
  readonly schema1?: Schema1Conversion;
}

/** Layers, configurations and whatever else manifests point at, as far as this repository links them. */
export interface BlobService {
  /**
   * What a repository's link and the storage say of a blob. The descriptor carries the digest asked for, also where the
   * bytes are stored under another one.
   * @throws {BlobUnknown}
   */
  open(digest: BlobDigest): Promise<Blob>;

  /** Whether {@link open} would find it. */
  has(digest: BlobDigest): Promise<boolean>;

  /**
   * Links a blob of another repository into this one.
   * @param from its source, or which ones will do where one of them is found quickly: by default all
   * @throws {BlobUnknown} where the source does not hold it
   */
  mount(digest: BlobDigest, from?: RepositoryName | ((name: RepositoryName) => boolean)): Promise<MountedBlob>;

  /**
   * Takes the blob out of this repository. The bytes stay until they are collected.
   * @throws {BlobUnknown}
   * @throws {Unsupported} where deletion is off
   */
  delete(digest: BlobDigest): Promise<void>;
}

/** Nothing is held open until {@link read}. */
export interface Blob {
  readonly descriptor: BlobDescriptor;

  /** When its bytes came into the storage; undefined where that keeps no times, and where it was not asked but a cache. */
  readonly createdAt: Date | undefined;

  /** Where a client may fetch it from the storage itself; undefined where it cannot. */
  redirect(request: RedirectRequest): Promise<URL | undefined>;

  /**
   * @param range whole blob by default
   * @throws {RangeError} where it does not lie within the blob
   * @throws {BlobUnknown} where the bytes are gone meanwhile, or others than a cache had said. The cache is put right then:
   *   who opens the blob again gets what the storage has
   */
  read(range?: ByteRange): Promise<BlobReader>;
  /** All its bytes, checked, where they are few; not to be changed. Who replaces {@link read} replaces this too. */
  whole?(): Promise<Uint8Array | undefined>;
}

export interface ByteRange {
  readonly start: number;
  /** Bytes. */
  readonly length: number;
}

/** Disposal closes; what is called after it throws `ReaderClosed`. Not safe for two reads at once. */
export interface BlobReader extends AsyncDisposable {
  /**
   * Fills some or all of `into` with the next bytes.
   * @returns how many; 0 at the end, which comes early where the storage lost bytes
   */
  read(into: Uint8Array): Promise<number>;
  /**
   * The next {@link read} begins there and goes to the end of the range that was opened.
   * @param offset bytes from the start of the blob, within that range or at its end
   * @throws {RangeError}
   */
  seek(offset: number): void;
}

/** Sessions live in the storage: any process on the same storage, ours or a peer's, can go on with one. */
export interface UploadService {
  /** A new session without bytes, which the storage may lose in a power cut until it has some. */
  start(options?: UploadOptions): Promise<Upload>;

  /** As {@link Upload.finish}, without a session to go on with: when it fails, nothing stays. */
  put(content: UploadContent, digest: BlobDigest): Promise<Descriptor>;

  /** @throws {UploadUnknown} */
  resume(id: UploadId): Promise<Upload>;
}

export interface UploadOptions {
  /** What the digest will be, where the client said so; saves reading the bytes again at the end. */
  readonly algorithm?: DigestAlgorithm | undefined;
  /** Most likely no bytes come behind these. Where they do at another process, all may be read again at the end. */
  readonly last?: boolean;
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
  append(content: UploadContent, options?: UploadOptions): Promise<Upload>;

  /**
   * Makes the bytes a blob of this repository, durable when the promise resolves. Given a tarsum, the blob can be reached
   * by it and by its digest, which is the one in the descriptor.
   * @throws {DigestInvalid} where the bytes have another digest; the session stays
   */
  commit(digest: BlobDigest): Promise<Descriptor>;

  /**
   * {@link append} with the last bytes and then {@link commit}. Where these are all, some storages take them at less cost,
   * and when that fails the session stays without them.
   */
  finish(content: UploadContent, digest: BlobDigest): Promise<Descriptor>;

  /**
   * Ends the session and takes its bytes away.
   * @throws {UploadUnknown} where it has ended already
   */
  cancel(): Promise<void>;
}

/** Bytes, or a source of them such as a stream. Its chunks may be the same memory again: copy what you keep. */
export type UploadContent = Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

export interface ManifestService {
  /**
   * @throws {ManifestUnknown}
   * @throws {Unknown} where the stored bytes are damaged: pushing them again mends it
   */
  get(digest: Digest): Promise<StoredManifest>;

  /**
   * What a tag points at.
   * @throws {ManifestUnknown}
   * @throws {Unknown} as {@link get}
   */
  getByTag(tag: Tag): Promise<StoredManifest>;

  /** Whether this repository holds that revision. */
  has(digest: Digest): Promise<boolean>;

  /** Every revision of this repository, tagged or not, by digest. */
  list(options?: ListOptions<Digest>): AsyncIterable<Digest>;

  /**
   * Stores a manifest; durable when the promise resolves. Signatures are verified and, as in the peers, not kept.
   * @returns what the client should know about it although it was stored, as sentences
   * @throws {DigestInvalid} where its bytes have another digest
   * @throws {ManifestInvalid} where its signatures are those of another one
   * @throws {ManifestUnverified} where one of them does not hold
   * @throws {NameInvalid} where it says of itself that it belongs to another repository
   * @throws {TagInvalid} where it says of itself that it has another tag than one of `tags`
   * @throws {RegistryErrors} naming every reference that is missing or not allowed
   */
  put(manifest: Manifest, digest: Digest, options?: ManifestPutOptions): Promise<readonly string[]>;

  /**
   * Takes the revision out of this repository, with the tags that point at it.
   * @returns those tags
   * @throws {ManifestUnknown}
   * @throws {Unsupported} where deletion is off
   */
  delete(digest: Digest): Promise<Tag[]>;
}

export interface ManifestPutOptions {
  /** Those it is going to be given; none by default. They are not set: that is for {@link TagService.set} to do. */
  readonly tags?: readonly Tag[];
}

/**
 * The bytes as they were pushed; their digest was checked when they were read. A signed manifest (schema 1) has its
 * signatures in them, which its digest does not cover.
 */
export interface StoredManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Uint8Array; // its `buffer` may hold other bytes as well
}

export interface TagService {
  /** @throws {ManifestUnknown} */
  resolve(tag: Tag): Promise<Digest>;

  has(tag: Tag): Promise<boolean>;

  /**
   * In byte order.
   * @throws {NameUnknown} where nothing of this repository exists
   */
  list(options?: ListOptions<Tag>): AsyncIterable<Tag>;

  /**
   * Durable when the promise resolves. The manifest is not read: whether it has a tag of its own, {@link ManifestService.put}
   * asks where it is told of the tags.
   * @param condition checked in one step with the change; given the current digest or undefined where the tag is new, it
   *   throws to prevent the change
   * @throws {ManifestUnknown} where this repository does not hold the manifest
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

/** Signatures of signed manifests (schema 1), stored beside them. The peers stopped to keep any in 2016. */
export interface SignatureService {
  /**
   * As they were stored, in the order of their digests. Empty where there are none; one whose bytes are gone or damaged is
   * left out.
   */
  get(digest: Digest): Promise<readonly Uint8Array[]>;

  /**
   * Adds to those that are there, up to a limit of some tens; none changes nothing. Each is the JSON of one JWS signature,
   * which is stored in one form, however it is written.
   * @throws {ManifestUnknown}
   * @throws {ManifestInvalid} where one is of another form or too long, or they would be too many
   * @throws {ManifestUnverified} where it is not one of this manifest
   * @throws {Unsupported} where the manifest is of a kind without signatures
   */
  put(digest: Digest, ...signatures: readonly Uint8Array[]): Promise<void>;
}

/** Images of Docker's schema 2 for clients that know schema 1 alone, which are those before Docker 1.10. */
export interface Schema1Conversion {
  /**
   * Nothing of the result is stored but the empty layer, where the image has steps that changed no file.
   * @param image what the tag points at, or the image that was chosen of a list
   * @param tag by which the result is named, with the repository
   * @throws {ManifestInvalid} where it is no image of schema 2, its configuration is missing, damaged or of another form,
   *   the result would be too long, or the empty layer is missing in a registry that is read-only
   */
  convert(image: StoredManifest, tag: Tag): Promise<UnsignedManifest>;
}

/** As far as it is known before it is signed. */
export interface UnsignedManifest {
  /** Over what is going to be signed, so it is the same each time. */
  readonly digest: Digest;
  sign(): Promise<StoredManifest>;
}
