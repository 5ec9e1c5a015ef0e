/**
 * Bytes at paths. A driver knows no digest, manifest or HTTP; it can be handed to several registries at once.
 *
 * Paths are absolute, `/`-separated and match {@link isPath}; the driver puts its own root in front. Directories are
 * implicit: they appear with their first file.
 *
 * Every method may throw a `StorageError` (errors.ts); those that find nothing throw `PathNotFound`.
 *
 * @see storage-layout, section 9, "Driver interface"
 */
export interface StorageDriver extends AsyncDisposable {
  /** As in errors, metrics and the configuration, e.g. `filesystem`. */
  readonly name: string;

  /** Where the bytes are, for people: a folder or a bucket's URL. */
  readonly location: string;

  /** The whole object. */
  getContent(path: string): Promise<Uint8Array>;

  /**
   * Creates or replaces an object at once: readers see the old bytes or the new ones, nothing between. Durable when the
   * promise resolves, unless `durable: false`.
   */
  putContent(path: string, content: Uint8Array, options?: PutOptions): Promise<void>;

  /**
   * Opens an object from `offset` (bytes). At or past the end the reader is empty.
   * @throws {InvalidOffset} for a negative offset
   */
  reader(path: string, offset?: number, options?: ReadOptions): Promise<FileReader>;

  /**
   * `append: false` starts from nothing, also where an object was; `append: true` goes on at the end. Where there is no
   * object to append to, drivers with directories create it, object stores throw `PathNotFound`, unless told to `create` it.
   */
  writer(path: string, options: WriterOptions): Promise<FileWriter>;

  stat(path: string): Promise<FileInfo>;

  /** Names (not paths) of the direct children, in any order. `/` can always be listed. */
  list(path: string): Promise<string[]>;

  /** Replaces `target`; `source` is gone afterwards. Durable when the promise resolves, unless `durable: false`. */
  move(source: string, target: string, options?: PutOptions): Promise<void>;

  /** A file or a whole tree: `/a` does not touch `/ab`. Durable when the promise resolves, unless `durable: false`. */
  delete(path: string, options?: PutOptions): Promise<void>;
}

/** What a client asks for, where a driver may answer with a URL of its own. */
export interface RedirectRequest {
  readonly method: "GET" | "HEAD";
  /** The client's IP address as far as it is known. Clients may lie about it: nothing may depend on it but the way. */
  readonly client?: string | undefined;
}

/** A driver that can send clients to the bytes themselves. */
export interface RedirectingDriver extends StorageDriver {
  /** @returns undefined where this object is not to be had that way */
  redirectUrl(path: string, request: RedirectRequest): Promise<URL | undefined>;
}

export function canRedirect(driver: StorageDriver): driver is RedirectingDriver {
  return "redirectUrl" in driver && typeof driver.redirectUrl === "function";
}

/** A driver whose objects have keys in a bucket, by which others than the store may serve them: a CDN. */
export interface BucketDriver extends StorageDriver {
  /** The whole key, as the store itself knows it: not encoded, and without a slash at its start. */
  bucketKey(path: string): string;
}

export function hasBucketKeys(driver: StorageDriver): driver is BucketDriver {
  return "bucketKey" in driver && typeof driver.bucketKey === "function";
}

export interface PutOptions {
  /** `false` where losing the change in a power cut harms nobody. */
  readonly durable?: boolean;
}

export interface WriterOptions {
  readonly append: boolean;
  readonly create?: boolean;
}

export interface ReadOptions {
  /** At most so many bytes will be asked for. */
  readonly length?: number;
  /** `FileInfo.version` of the bytes that are wanted. Where there are others, opening or reading throws `WriteConflict`. */
  readonly version?: string | undefined;
}

export interface FileInfo {
  /** Bytes; 0 for a directory. */
  readonly size: number;
  readonly isDirectory: boolean;
  /** ms since 1970 with fractions. Absent for the directories of object stores, which have no time. */
  readonly modified?: number;
  /** Another one for other bytes, where the store tells: an ETag. */
  readonly version?: string;
}

/** One reader of an object. Not safe for two reads at once. Disposal closes; a read after it throws `ReaderClosed`. */
export interface FileReader extends AsyncDisposable {
  /** Bytes of the whole object, from its start, when it was opened. */
  readonly size: number;

  /**
   * Fills some or all of `into` with the next bytes.
   * @returns how many bytes; 0 at the end, or when `into` is empty
   */
  read(into: Uint8Array): Promise<number>;
}

/**
 * One writer of an object, begun or resumed. Disposal without {@link commit} or {@link cancel} closes: what was written
 * stays and can be appended to.
 *
 * After commit, cancel or close every further call but disposal throws `WriterClosed`, except one close after a commit.
 */
export interface FileWriter extends AsyncDisposable {
  /** Bytes of the object so far, with those of earlier writers. */
  readonly size: number;

  /**
   * After {@link close}: what `FileInfo.version` will be as long as the bytes are those of this writer, where the store
   * cannot keep two writers from each other.
   */
  readonly version?: string | undefined;

  /** After a {@link close} that is not durable: resolves when the bytes are, rejects where they may never be. */
  readonly settled?: Promise<void> | undefined;

  /**
   * Resolves when the writer has no more use for `chunk`. Writing to an object that somebody else changed in the meantime
   * throws `WriteConflict`, as far as the driver can tell.
   */
  write(chunk: Uint8Array): Promise<void>;

  /**
   * Keeps the bytes for the next writer, of this process or another. Makes them durable, unless `durable: false`: then
   * that may only begin, and {@link settled} must tell of its end: whoever acknowledges the bytes waits for it.
   */
  close(options?: PutOptions): Promise<void>;

  /** Makes the bytes durable and visible at the path. */
  commit(): Promise<void>;

  /** Discards the object. */
  cancel(): Promise<void>;
}

/**
 * A store where bytes that were written and closed are no object before a commit, such as the multipart uploads of S3:
 * `stat` and `reader` do not see them.
 */
export interface StagingDriver extends StorageDriver {
  /** Begins without a byte, for others to append to. There must be nothing at `path`. */
  beginStaged(path: string): Promise<void>;

  /** What an appending writer at `path` would go on from. */
  statStaged(path: string): Promise<FileInfo>;

  /**
   * Makes what is staged at `path` the object at `target`, in as few copies as the store allows. A copy may stay at `path`,
   * for the caller to delete.
   * @param staged as {@link statStaged} told of it
   * @throws {WriteConflict} where that is no more what is there
   */
  commitStaged(path: string, target: string, staged: FileInfo): Promise<void>;
}

export function canStage(driver: StorageDriver): driver is StagingDriver {
  return "statStaged" in driver && typeof driver.statStaged === "function";
}

/** A direct child of a folder. */
export interface ListedChild {
  readonly name: string;
  readonly isDirectory: boolean;
  /** What `stat` would say, there where the listing says all of it. */
  readonly info?: FileInfo;
}

/**
 * A store whose listings say more of children than their names, at no further cost. Who replaces `list` or `stat` of such a
 * driver replaces this too, or takes it away by `listDetailed: undefined`.
 */
export interface DetailingDriver extends StorageDriver {
  /** As `list`, which names the same children. What it says was so when the folder was listed. */
  listDetailed(path: string): Promise<ListedChild[]>;
}

export function canListDetailed(driver: StorageDriver): driver is DetailingDriver {
  return "listDetailed" in driver && typeof driver.listDetailed === "function";
}

/**
 * A store that tells at once, without a promise, whether a file or folder is still what it was. It does so only where that
 * takes microseconds: nothing else runs meanwhile. Who replaces `getContent`, `stat` or `list` of such a driver replaces this
 * too, or takes it away by `stampOf: undefined`.
 */
export interface StampingDriver extends StorageDriver {
  /** @returns undefined where nothing is there, and where it cannot be told: the other methods say more */
  stampOf(path: string): FileStamp | undefined;
}

export function canStamp(driver: StorageDriver): driver is StampingDriver {
  return "stampOf" in driver && typeof driver.stampOf === "function";
}

/**
 * A driver that tells at once, without a promise, what it was asked for before and what still is so. Who replaces `getContent`
 * or `stat` of such a driver replaces this too, or takes it away by `recallContent: undefined`.
 */
export interface RecallingDriver extends StorageDriver {
  /** What `getContent` would give, a character a byte. @returns undefined where it has to be asked */
  recallContent(path: string): string | undefined;

  /** What `stat` would give. @returns undefined where it has to be asked */
  recallInfo(path: string): FileInfo | undefined;

  /** What `listDetailed` would give, there where the driver has it. @returns undefined where it has to be asked */
  recallListing?(path: string): readonly ListedChild[] | undefined;
}

export function canRecall(driver: StorageDriver): driver is RecallingDriver {
  return "recallContent" in driver && typeof driver.recallContent === "function";
}

/** Another one after every change, as far as the store's clock is fine enough: see stamp.ts. */
export interface FileStamp {
  readonly inode: bigint;
  /** When the bytes or names in it were changed, as far as nobody said otherwise. ns since 1970 */
  readonly modified: bigint;
  /** When anything of it was changed, which nobody but the system says. ns since 1970 */
  readonly changed: bigint;
  /** Bytes; of a folder whatever the system says. */
  readonly size: bigint;
  readonly isDirectory: boolean;
}

/** A store that can show an object of any length at once and whole, or never. */
export interface AtomicDriver extends StorageDriver {
  /**
   * Creates or replaces an object at the commit of the writer, and not before. Several may write the same one: the last
   * commit counts.
   * @param aside a path for this writer alone, where bytes may lie until its disposal that have to leave memory
   */
  atomicWriter(path: string, aside: string): Promise<AtomicWriter>;

  /**
   * What was begun at or below `path`, by atomic writers or by others, and is no object yet: a crash leaves it, or somebody
   * writes it just now.
   */
  listUnfinished(path: string): Promise<readonly UnfinishedObject[]>;

  /** Its writer, if any, gets `WriteConflict`. Not an error where it is gone, or has become an object meanwhile. */
  removeUnfinished(unfinished: UnfinishedObject): Promise<void>;
}

export function canWriteAtomically(driver: StorageDriver): driver is AtomicDriver {
  return "atomicWriter" in driver && typeof driver.atomicWriter === "function";
}

/** Disposal without {@link commit} leaves nothing. After a failure only that is left to do. */
export interface AtomicWriter extends AsyncDisposable {
  /** Bytes so far. */
  readonly size: number;

  /** Resolves when the writer has no more use for `chunk`. */
  write(chunk: Uint8Array): Promise<void>;

  /**
   * Makes the bytes the object, durably.
   * @throws {WriteConflict} where somebody else removed what was unfinished
   */
  commit(): Promise<void>;
}

export interface UnfinishedObject {
  readonly path: string;
  readonly id: string;
  /** ms since 1970, where the store tells. */
  readonly begun: number | undefined;
}

/** Components of letters, digits, `.`, `_` and `-`, none of them `.` or `..`: nothing a file system reads in its own way. */
export function isPath(path: string): boolean {
  return /^(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._-]+)+$/.test(path);
}
