import { StorageError, WriteConflict } from "../errors.ts";
import { completeUpload } from "./completing.ts";
import type { Copying } from "./copying.ts";
import { isUploadGone } from "./failures.ts";
import { MOST_PARTS, type Multipart } from "./multipart.ts";
import type { Objects, S3Object } from "./objects.ts";
import { S3 } from "./parameters.ts";
import type { PartBuffers } from "./part-buffers.ts";
import { isObject, type Progress, type ProgressFinder, type Uploading } from "./progress.ts";

/** What driver, writers and commits share. */
export interface Store {
  readonly objects: Objects;
  readonly multipart: Multipart;
  readonly copying: Copying;
  readonly finder: ProgressFinder;
  readonly buffers: PartBuffers;
}

/** An object's place, and the driver's path to it for errors. */
export interface Place {
  readonly key: string;
  readonly path: string;
}

/**
 * Uploads one more part.
 * @returns the upload with it
 * @throws {WriteConflict} where the upload was completed or aborted meanwhile
 */
export async function appendPart(
  { multipart }: Store,
  place: Place,
  { upload, parts }: Uploading,
  bytes: Buffer,
): Promise<Uploading> {
  const number = (parts.at(-1)?.number ?? 0) + 1;
  if (number > MOST_PARTS) throw tooLong(bytes.length);
  try {
    return { upload, parts: [...parts, await multipart.uploadPart(upload, number, bytes)] };
  } catch (error) {
    throw isUploadGone(error) ? new WriteConflict(S3, place.path) : error;
  }
}

function tooLong(part: number): StorageError {
  const text = `an upload has at most ${MOST_PARTS} parts: a larger storage.s3.chunksize than ${part} allows longer ones`;
  return new StorageError(S3, text);
}

/**
 * Makes an object of what is there, at the same key.
 * @throws {WriteConflict} where it is no more what is there
 */
export async function complete(store: Store, place: Place, progress: Progress): Promise<S3Object> {
  if (isObject(progress)) return progress.object;
  store.finder.forget(place.key);
  if (progress.parts.length === 0) return await completeEmpty(store, progress.upload);
  const object = await completeUpload(store.objects, store.multipart, progress);
  if (object === undefined) throw new WriteConflict(S3, place.path);
  return object;
}

/** An upload needs a part, which not every server takes without a byte. */
async function completeEmpty({ objects, multipart }: Store, upload: { key: string; id: string }): Promise<S3Object> {
  await objects.put(upload.key, new Uint8Array());
  await multipart.abort({ ...upload, begun: undefined });
  return (await objects.head(upload.key)) ?? { size: 0, etag: "", modified: undefined };
}
