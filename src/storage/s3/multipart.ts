import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  type ListPartsCommandOutput,
  UploadPartCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { StorageError } from "../errors.ts";
import type { Calls } from "./calls.ts";
import { isPartChanged, isUploadGone } from "./failures.ts";
import { copySource } from "./objects.ts";
import { S3 } from "./parameters.ts";

/** A multipart upload that was neither completed nor aborted. */
export interface PendingUpload {
  readonly key: string;
  readonly id: string;
  /** ms since 1970 */
  readonly begun: number | undefined;
}

export interface Part {
  readonly number: number;
  readonly size: number;
  readonly etag: string;
  /** ms since 1970, where S3 told of it */
  readonly modified?: number | undefined;
}

/** As many as S3 takes in one upload. */
export const MOST_PARTS = 10_000;

/** The multipart uploads of a bucket, a request or a listing a method. */
export class Multipart {
  readonly #calls: Calls;

  constructor(calls: Calls) {
    this.#calls = calls;
  }

  async create(key: string): Promise<PendingUpload> {
    const { client, bucket, attributes } = this.#calls;
    const command = new CreateMultipartUploadCommand({ ...attributes, Bucket: bucket, Key: key });
    const limits = this.#calls.soon();
    const { UploadId } = await this.#calls.run("CreateMultipartUpload", key, () => client.send(command, limits));
    if (!UploadId) throw new StorageError(S3, "CreateMultipartUpload failed: an answer without an id");
    return { key, id: UploadId, begun: undefined };
  }

  /** @throws NoSuchUpload, for `isUploadGone` */
  async uploadPart({ key, id }: PendingUpload, number: number, bytes: Uint8Array): Promise<Part> {
    const { client, bucket } = this.#calls;
    const command = new UploadPartCommand({ Bucket: bucket, Key: key, UploadId: id, PartNumber: number, Body: bytes });
    const send = (): Promise<{ ETag?: string | undefined }> => client.send(command, this.#calls.later());
    const { ETag } = await this.#calls.run("UploadPart", key, send, isUploadGone);
    return { number, size: bytes.length, etag: ETag ?? "" };
  }

  /** @param end exclusive */
  async copyPart(
    { key, id }: PendingUpload,
    number: number,
    source: { readonly key: string; readonly etag: string; readonly start: number; readonly end: number },
  ): Promise<Part> {
    const { client, bucket } = this.#calls;
    const command = new UploadPartCopyCommand({
      Bucket: bucket,
      Key: key,
      UploadId: id,
      PartNumber: number,
      CopySource: copySource(bucket, source.key),
      CopySourceIfMatch: source.etag,
      CopySourceRange: `bytes=${source.start}-${source.end - 1}`,
    });
    const limits = this.#calls.later();
    const { CopyPartResult } = await this.#calls.run("UploadPartCopy", key, () => client.send(command, limits));
    return { number, size: source.end - source.start, etag: CopyPartResult?.ETag ?? "" };
  }

  /**
   * @returns the object's tag
   * @throws what `isUploadGone` and `isPartChanged` know
   */
  async complete({ key, id }: PendingUpload, parts: readonly Part[]): Promise<string> {
    const { client, bucket } = this.#calls;
    const command = new CompleteMultipartUploadCommand({
      Bucket: bucket,
      Key: key,
      UploadId: id,
      MultipartUpload: { Parts: parts.map(({ number, etag }) => ({ PartNumber: number, ETag: etag })) },
    });
    const send = (): Promise<{ ETag?: string | undefined }> => client.send(command, this.#calls.later());
    const known = (error: unknown): boolean => isUploadGone(error) || isPartChanged(error);
    const { ETag } = await this.#calls.run("CompleteMultipartUpload", key, send, known);
    return ETag ?? "";
  }

  /** Also where it is gone. */
  async abort({ key, id }: PendingUpload): Promise<void> {
    const { client, bucket } = this.#calls;
    const command = new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: id });
    try {
      const limits = this.#calls.soon();
      await this.#calls.run("AbortMultipartUpload", key, () => client.send(command, limits), isUploadGone);
    } catch (error) {
      if (!isUploadGone(error)) throw error;
    }
  }

  /** All whose keys begin with `prefix`, the oldest of a key first. */
  async list(prefix: string): Promise<PendingUpload[]> {
    const { client, bucket } = this.#calls;
    const found: PendingUpload[] = [];
    let markers: { KeyMarker?: string; UploadIdMarker?: string } = {};
    for (let more = true; more; ) {
      const command = new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix, ...markers });
      const limits = this.#calls.soon();
      const page = await this.#calls.run("ListMultipartUploads", prefix, () => client.send(command, limits));
      for (const { Key: key, UploadId: id, Initiated } of page.Uploads ?? []) {
        if (key !== undefined && id !== undefined) found.push({ key, id, begun: Initiated?.getTime() });
      }
      const next = { KeyMarker: page.NextKeyMarker ?? "", UploadIdMarker: page.NextUploadIdMarker ?? "" };
      more = page.IsTruncated === true && next.KeyMarker !== "";
      if (more && next.KeyMarker === markers.KeyMarker && next.UploadIdMarker === markers.UploadIdMarker) {
        throw new StorageError(S3, "ListMultipartUploads failed: the same page again");
      }
      markers = next;
    }
    return found;
  }

  /** @returns undefined where the upload is gone */
  async parts({ key, id }: PendingUpload): Promise<Part[] | undefined> {
    const found: Part[] = [];
    let marker: string | undefined;
    do {
      const page = await this.#partsPage(key, id, marker);
      if (page === undefined) return undefined;
      for (const { PartNumber, Size, ETag, LastModified } of page.Parts ?? []) {
        found.push({ number: PartNumber ?? 0, size: Size ?? 0, etag: ETag ?? "", modified: LastModified?.getTime() });
      }
      const next = page.IsTruncated ? page.NextPartNumberMarker : undefined;
      if (next !== undefined && Number(next) <= Number(marker ?? -1)) {
        throw new StorageError(S3, "ListParts failed: the same page again");
      }
      marker = next;
    } while (marker !== undefined);
    return found.sort((a, b) => a.number - b.number);
  }

  async #partsPage(key: string, id: string, marker: string | undefined): Promise<ListPartsCommandOutput | undefined> {
    const { client, bucket } = this.#calls;
    const from = marker === undefined ? {} : { PartNumberMarker: marker };
    const command = new ListPartsCommand({ Bucket: bucket, Key: key, UploadId: id, ...from });
    try {
      const limits = this.#calls.soon();
      return await this.#calls.run("ListParts", key, () => client.send(command, limits), isUploadGone);
    } catch (error) {
      if (isUploadGone(error)) return undefined;
      throw error;
    }
  }
}
