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

/** Uploads whose ids are kept in memory, which saves looking for them. */
const REMEMBERED = 2000;

export class ProgressFinder {
  readonly #objects: Objects;
  readonly #multipart: Multipart;
  readonly #remembered = new Map<string, PendingUpload>();

  constructor(objects: Objects, multipart: Multipart) {
    this.#objects = objects;
    this.#multipart = multipart;
  }

  /** For the next {@link find}, which looks whether it is still so. */
  remember(upload: PendingUpload): void {
    this.#remembered.delete(upload.key);
    this.#remembered.set(upload.key, upload);
    const [oldest] = this.#remembered.size > REMEMBERED ? this.#remembered.keys() : [];
    if (oldest !== undefined) this.#remembered.delete(oldest);
  }

  forget(key: string): void {
    this.#remembered.delete(key);
  }

  async find(key: string): Promise<Progress | undefined> {
    const upload = this.#remembered.get(key);
    const parts = upload && (await this.#multipart.parts(upload));
    if (upload && parts && isWhole(parts)) return { upload, parts };
    this.forget(key);
    return await this.#search(key);
  }

  /** Where there are several, the peers' choice, the oldest, unless it has nothing. */
  async #search(key: string): Promise<Progress | undefined> {
    const uploads = (await this.#multipart.list(key)).filter((upload) => upload.key === key);
    for (const upload of uploads) {
      const parts = await this.#multipart.parts(upload);
      if (parts && isWhole(parts)) return this.#found({ upload, parts });
    }
    const object = await this.#objects.head(key);
    const [upload] = uploads;
    if (upload === undefined || (object && object.size > 0)) return object && { object, leftovers: uploads };
    return this.#found({ upload, parts: [] });
  }

  #found(uploading: Uploading): Uploading {
    this.remember(uploading.upload);
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
function versionOf(progress: Progress): string {
  if (isObject(progress)) return progress.object.etag;
  const hash = createHash("sha256").update(progress.upload.id);
  for (const { number, size, etag } of progress.parts) hash.update(`\n${number} ${size} ${etag}`);
  return hash.digest("base64url");
}
