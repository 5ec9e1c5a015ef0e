import { createHash } from "node:crypto";
import type { FileInfo } from "../driver.ts";
import type { Multipart, Part, PendingUpload } from "./multipart.ts";
import type { Objects, S3Object } from "./objects.ts";

/**
 * What an appending writer goes on from, as the peers leave it: a multipart upload at the object's own key. Between the two
 * requests that make an object of one upload and begin the next with it, or after a commit, it is an object.
 */
export type Progress = Uploading | Whole;

export interface Uploading {
  readonly upload: PendingUpload;
  /** By number, from 1 on. */
  readonly parts: readonly Part[];
}

export interface Whole {
  readonly object: S3Object;
  /** Uploads that were to begin with the object and were interrupted before they did. */
  readonly leftovers: readonly PendingUpload[];
}

/** Uploads that are kept in memory, which saves looking for them. */
const REMEMBERED = 2000;
/** Parts of an upload that are kept with it. */
const FEW_PARTS = 500;

interface Remembered {
  readonly upload: PendingUpload;
  /** Begun from nothing: it is whole without a part. */
  readonly isFresh: boolean;
  /** As they were seen last. */
  readonly parts: readonly Part[] | undefined;
}

export class ProgressFinder {
  readonly #objects: Objects;
  readonly #multipart: Multipart;
  readonly #remembered = new Map<string, Remembered>();

  constructor(objects: Objects, multipart: Multipart) {
    this.#objects = objects;
    this.#multipart = multipart;
  }

  /** For the next {@link find}, which looks whether it is still so. */
  remember({ upload, parts }: Uploading, isFresh: boolean): void {
    this.#remembered.delete(upload.key);
    this.#remembered.set(upload.key, { upload, isFresh, parts: parts.length <= FEW_PARTS ? parts : undefined });
    const [oldest] = this.#remembered.size > REMEMBERED ? this.#remembered.keys() : [];
    if (oldest !== undefined) this.#remembered.delete(oldest);
  }

  forget(key: string): void {
    this.#remembered.delete(key);
  }

  async find(key: string): Promise<Progress | undefined> {
    const remembered = this.#remembered.get(key);
    const uploading = remembered && (await this.#partsOf(remembered));
    if (uploading) return uploading;
    this.forget(key);
    return await this.#search(key);
  }

  /** What was found last, without a look whether it is still so. */
  recall(key: string, version: string | undefined): Progress | undefined {
    const { upload, parts } = this.#remembered.get(key) ?? {};
    const progress = upload && parts && { upload, parts };
    return progress && versionOf(progress) === version ? progress : undefined;
  }

  async #partsOf({ upload, isFresh }: Remembered): Promise<Uploading | undefined> {
    const parts = await this.#multipart.parts(upload);
    if (parts === undefined || !(isWhole(parts) || (isFresh && parts.length === 0))) return undefined;
    return this.#found({ upload, parts }, isFresh);
  }

  /** Where there are several, the peers' choice, the oldest, unless it has nothing. */
  async #search(key: string): Promise<Progress | undefined> {
    const uploads = (await this.#multipart.list(key)).filter((upload) => upload.key === key);
    for (const upload of uploads) {
      const parts = await this.#multipart.parts(upload);
      if (parts && isWhole(parts)) return this.#found({ upload, parts }, false);
    }
    const object = await this.#objects.head(key);
    const [upload] = uploads;
    if (upload === undefined || (object && object.size > 0)) return object && { object, leftovers: uploads };
    return this.#found({ upload, parts: [] }, true);
  }

  #found(uploading: Uploading, isFresh: boolean): Uploading {
    this.remember(uploading, isFresh);
    return uploading;
  }
}

/** An upload that was to begin with an object, but was interrupted, lacks the first part: that one is copied last. */
function isWhole(parts: readonly Part[]): boolean {
  return parts[0]?.number === 1;
}

export function isObject(progress: Progress): progress is Whole {
  return "object" in progress;
}

export function sizeOf(progress: Progress): number {
  return isObject(progress) ? progress.object.size : progress.parts.reduce((sum, { size }) => sum + size, 0);
}

export function infoOf(progress: Progress): FileInfo {
  const modified = isObject(progress)
    ? progress.object.modified
    : (progress.parts.at(-1)?.modified ?? progress.upload.begun);
  const info = { size: sizeOf(progress), isDirectory: false, version: versionOf(progress) };
  return modified === undefined ? info : { ...info, modified };
}

/** Two sets of parts that are not the same bytes differ in it, whoever uploaded them. */
export function versionOf(progress: Progress): string {
  if (isObject(progress)) return progress.object.etag;
  const hash = createHash("sha256").update(progress.upload.id);
  for (const { number, size, etag } of progress.parts) hash.update(`\n${number} ${size} ${etag.replaceAll('"', "")}`);
  return hash.digest("base64url");
}
