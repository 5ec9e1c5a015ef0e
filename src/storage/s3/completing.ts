import { createHash } from "node:crypto";
import { isPartChanged, isUploadGone, toStorageError, wasRepeated } from "./failures.ts";
import type { Multipart, Part } from "./multipart.ts";
import type { Objects, S3Object } from "./objects.ts";
import { sizeOf, type Uploading } from "./progress.ts";

/**
 * Makes an object of just these parts.
 * @returns undefined where somebody else completed or aborted the upload, or replaced a part
 */
export async function completeUpload(
  objects: Objects,
  multipart: Multipart,
  uploading: Uploading,
): Promise<S3Object | undefined> {
  const { upload, parts } = uploading;
  try {
    return { size: sizeOf(uploading), etag: await multipart.complete(upload, parts), modified: undefined };
  } catch (error) {
    if (isUploadGone(error) && wasRepeated(error)) return await doneBefore(objects, uploading, error);
    if (isUploadGone(error) || isPartChanged(error)) return undefined;
    throw error;
  }
}

/** An earlier try may have had its effect, and its answer was lost. Or somebody else made an object of other parts. */
async function doneBefore(objects: Objects, { upload, parts }: Uploading, error: unknown): Promise<S3Object> {
  const object = await objects.head(upload.key);
  if (object !== undefined && object.etag.replaceAll('"', "") === tagOf(parts)) return object;
  throw toStorageError("CompleteMultipartUpload", error);
}

/** The tag of an object that is made of these parts. Where a store makes other tags, nothing has it. */
function tagOf(parts: readonly Part[]): string {
  const hash = createHash("md5");
  for (const { etag } of parts) hash.update(etag.replaceAll('"', ""), "hex");
  return `${hash.digest("hex")}-${parts.length}`;
}
