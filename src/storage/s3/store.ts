import { StorageError, WriteConflict } from "../errors.ts";
import type { Copying } from "./copying.ts";
import { isPartChanged, isUploadGone, toStorageError, wasRepeated } from "./failures.ts";
import { MOST_PARTS, type Multipart } from "./multipart.ts";
import type { Objects, S3Object } from "./objects.ts";
import { S3 } from "./parameters.ts";
import type { PartBuffers } from "./part-buffers.ts";
import { isObject, type Progress, type ProgressFinder, sizeOf, type Uploading } from "./progress.ts";

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
  const size = sizeOf(progress);
  try {
    const etag = await store.multipart.complete(progress.upload, progress.parts);
    return { size, etag, modified: undefined };
  } catch (error) {
    if (isUploadGone(error) && wasRepeated(error)) return await doneBefore(store, place, size, error);
    throw isUploadGone(error) || isPartChanged(error) ? new WriteConflict(S3, place.path) : error;
  }
}

/** An earlier try may have had its effect, and its answer was lost. */
async function doneBefore({ objects }: Store, { key }: Place, size: number, error: unknown): Promise<S3Object> {
  const object = await objects.head(key);
  if (object?.size === size) return object;
  throw toStorageError("CompleteMultipartUpload", error);
}

/** An upload needs a part, which not every server takes without a byte. */
async function completeEmpty({ objects, multipart }: Store, upload: { key: string; id: string }): Promise<S3Object> {
  await objects.put(upload.key, new Uint8Array());
  await multipart.abort({ ...upload, begun: undefined });
  return (await objects.head(upload.key)) ?? { size: 0, etag: "", modified: undefined };
}
