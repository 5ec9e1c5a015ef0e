import { mapConcurrent } from "../../lib/concurrency.ts";
import { StorageError } from "../errors.ts";
import { completeUpload } from "./completing.ts";
import { MOST_PARTS, type Multipart, type Part, type PendingUpload } from "./multipart.ts";
import type { Objects } from "./objects.ts";
import { LARGEST_PART, S3, type S3Parameters } from "./parameters.ts";

export interface CopySource {
  readonly key: string;
  readonly etag: string;
  readonly size: number;
}

/** Copies within the bucket: no byte passes through this process. */
export class Copying {
  readonly #objects: Objects;
  readonly #multipart: Multipart;
  readonly #parameters: S3Parameters;

  constructor(objects: Objects, multipart: Multipart, parameters: S3Parameters) {
    this.#objects = objects;
    this.#multipart = multipart;
    this.#parameters = parameters;
  }

  /**
   * Replaces `target` at once.
   * @returns false where `source` is gone or another one by now
   */
  async copy(source: CopySource, target: string): Promise<boolean> {
    if (source.size <= this.#parameters.copyThreshold) return await this.#objects.copy(source.key, source.etag, target);
    const upload = await this.#multipart.create(target);
    try {
      const parts = await this.#copyParts(source, upload, this.#parameters.copyChunkSize);
      if (await completeUpload(this.#objects, this.#multipart, { upload, parts })) return true;
      throw new StorageError(S3, "a copy was aborted by somebody else");
    } catch (error) {
      await this.#multipart.abort(upload).catch(() => undefined); // the first failure is the one to tell of
      if ((await this.#objects.head(source.key))?.etag !== source.etag) return false;
      throw error;
    }
  }

  /** All of `source` as the first parts of `upload`, the very first one last: who finds it finds all of them. */
  async prepend(source: CopySource, upload: PendingUpload): Promise<Part[]> {
    const pieces = Math.max(1, Math.ceil(source.size / LARGEST_PART));
    return await this.#copyParts(source, upload, Math.ceil(source.size / pieces));
  }

  async #copyParts(source: CopySource, upload: PendingUpload, chunk: number): Promise<Part[]> {
    const length = Math.max(chunk, Math.ceil(source.size / MOST_PARTS));
    const count = Math.ceil(source.size / length);
    if (length > LARGEST_PART) throw new StorageError(S3, `an object of ${source.size} bytes is too big to copy`);
    const copy = (index: number): Promise<Part> =>
      this.#multipart.copyPart(upload, index + 1, {
        key: source.key,
        etag: source.etag,
        start: index * length,
        end: Math.min(source.size, (index + 1) * length),
      });
    const later = Array.from({ length: count - 1 }, (_, index) => index + 1);
    const rest = await mapConcurrent(later, this.#parameters.copyConcurrency, copy);
    return [await copy(0), ...rest];
  }
}
