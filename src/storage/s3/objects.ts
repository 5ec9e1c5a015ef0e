import type { Readable } from "node:stream";
import {
  type _Object,
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { StorageError, WriteConflict } from "../errors.ts";
import type { Calls } from "./calls.ts";
import { isAbsent, isPastEnd, isReplaced, isUncertain } from "./failures.ts";
import { S3 } from "./parameters.ts";

/** One object as S3 tells of it. */
export interface S3Object {
  readonly size: number;
  readonly etag: string;
  /** ms since 1970 */
  readonly modified: number | undefined;
}

export interface S3Content extends S3Object {
  /** From the offset that was asked for. */
  readonly body: Readable;
}

export interface S3Range {
  readonly offset: number;
  readonly length?: number | undefined;
  /** Only of this object. */
  readonly etag?: string | undefined;
}

/** As a listing has it. */
export interface ListedObject {
  readonly key: string;
  /** Undefined where the server does not say all of it. */
  readonly object: S3Object | undefined;
}

export interface Page {
  readonly objects: readonly ListedObject[];
  /** Common prefixes of keys with more of the delimiter, which they end in. */
  readonly folders: readonly string[];
  /** For the next page. */
  readonly next: string | undefined;
}

export interface ListInit {
  readonly prefix: string;
  readonly delimiter?: "/";
  readonly limit?: number;
  readonly from?: string | undefined;
}

/** Keys in one request to delete. */
export const DELETED_AT_ONCE = 1000;
const DELETE_ROUNDS = 3;

/** The objects of a bucket, a request a method. */
export class Objects {
  readonly #calls: Calls;

  constructor(calls: Calls) {
    this.#calls = calls;
  }

  /** ms for which a body may say nothing. */
  get silence(): number {
    return this.#calls.silence;
  }

  async head(key: string): Promise<S3Object | undefined> {
    const { client, bucket } = this.#calls;
    const command = new HeadObjectCommand({ Bucket: bucket, Key: key });
    const found = await this.#orNothing("HeadObject", key, () => client.send(command, this.#calls.soon()));
    return found && toObject(found.ContentLength ?? 0, found);
  }

  /**
   * The time for its head is limited, that for its body only where it falls silent.
   * @returns undefined where there is no object, `past` where the offset lies behind its bytes
   */
  async get(key: string, { offset, length, etag }: S3Range): Promise<S3Content | "past" | undefined> {
    const { client, bucket } = this.#calls;
    const end = length === undefined ? "" : offset + length - 1;
    const isWhole = offset === 0 && length === undefined;
    const range = isWhole ? {} : { Range: `bytes=${offset}-${end}` };
    const command = new GetObjectCommand({ Bucket: bucket, Key: key, ...range, ...(etag && { IfMatch: etag }) });
    const known = (error: unknown): boolean => isAbsent(error) || isPastEnd(error) || isReplaced(error);
    try {
      const found = await this.#calls.run("GetObject", key, () => client.send(command), known);
      const total = isWhole ? found.ContentLength : totalOf(found.ContentRange);
      if (total === undefined) throw new StorageError(S3, "GetObject failed: an answer without the object's size");
      return { ...toObject(total, found), body: found.Body as Readable };
    } catch (error) {
      if (isReplaced(error)) throw new WriteConflict(S3, key);
      if (isPastEnd(error)) return "past";
      if (!isAbsent(error)) throw error;
      if (isUncertain(error)) await this.confirmAbsence(key);
      return undefined;
    }
  }

  /**
   * A 404 without a word may come from anywhere: a listing has to say it, too.
   * @throws {StorageError} where there is such a key, or no bucket
   */
  async confirmAbsence(key: string): Promise<void> {
    const { objects } = await this.list({ prefix: key, limit: 1 });
    if (objects[0]?.key === key) throw contradiction();
  }

  async put(key: string, content: Uint8Array): Promise<void> {
    const { client, bucket, attributes } = this.#calls;
    const command = new PutObjectCommand({ ...attributes, Bucket: bucket, Key: key, Body: content });
    await this.#calls.run("PutObject", key, () => client.send(command, this.#calls.later()));
  }

  /**
   * In one request, so of 5 GiB at most.
   * @returns false where there is no such source, or no more with this tag
   */
  async copy(source: string, etag: string, target: string): Promise<boolean> {
    const { client, bucket, attributes } = this.#calls;
    const command = new CopyObjectCommand({
      ...attributes,
      Bucket: bucket,
      Key: target,
      CopySource: copySource(bucket, source),
      CopySourceIfMatch: etag,
    });
    const known = (error: unknown): boolean => isAbsent(error) || isReplaced(error);
    try {
      await this.#calls.run("CopyObject", target, () => client.send(command, this.#calls.later()), known);
      return true;
    } catch (error) {
      if (known(error)) return false;
      throw error;
    }
  }

  /** Also where there is none. */
  async remove(key: string): Promise<void> {
    const { client, bucket } = this.#calls;
    const command = new DeleteObjectCommand({ Bucket: bucket, Key: key });
    await this.#orNothing("DeleteObject", key, () => client.send(command, this.#calls.soon()));
  }

  /**
   * Also those that are not there.
   * @param keys {@link DELETED_AT_ONCE} at most
   * @throws {StorageError} where some would not go; the others are gone
   */
  async removeAll(keys: readonly string[]): Promise<void> {
    let left = keys;
    let reason: string | undefined;
    for (let round = 0; round < DELETE_ROUNDS && left.length > 0; round++) {
      const failures = await this.#removeOnce(left);
      reason = failures[0]?.reason;
      left = failures.map(({ key }) => key);
    }
    if (left.length > 0) throw new StorageError(S3, `${left.length} objects could not be deleted: ${reason}`);
  }

  async list({ prefix, delimiter, limit, from }: ListInit): Promise<Page> {
    const { client, bucket } = this.#calls;
    const command = new ListObjectsV2Command({
      Bucket: bucket,
      Prefix: prefix,
      ...(delimiter && { Delimiter: delimiter }),
      ...(limit !== undefined && { MaxKeys: limit }),
      ...(from !== undefined && { ContinuationToken: from }),
    });
    const found = await this.#calls.run("ListObjectsV2", prefix, () => client.send(command, this.#calls.soon()));
    return toPage(found, from);
  }

  async *pages(init: ListInit): AsyncGenerator<Page, void, void> {
    let from: string | undefined;
    do {
      const page = await this.list({ ...init, from });
      yield page;
      from = page.next;
    } while (from !== undefined);
  }

  async #removeOnce(keys: readonly string[]): Promise<readonly { readonly key: string; readonly reason: string }[]> {
    const { client, bucket } = this.#calls;
    const command = new DeleteObjectsCommand({
      Bucket: bucket,
      Delete: { Quiet: true, Objects: keys.map((key) => ({ Key: key })) },
    });
    const limits = this.#calls.soon();
    const { Errors: errors = [] } = await this.#calls.run("DeleteObjects", `${keys.length} keys`, () =>
      client.send(command, limits),
    );
    return errors
      .filter(({ Code }) => Code !== "NoSuchKey")
      .map(({ Key, Code }) => ({ key: Key ?? "", reason: Code ?? "" }));
  }

  async #orNothing<T>(name: string, key: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await this.#calls.run(name, key, work, isAbsent);
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }
}

export function contradiction(): StorageError {
  return new StorageError(S3, "an object that is there was not found (404)");
}

export function copySource(bucket: string, key: string): string {
  return `${bucket}/${key.split("/").map(encodeURIComponent).join("/")}`;
}

function toObject(
  size: number,
  { ETag, LastModified }: { ETag?: string | undefined; LastModified?: Date | undefined },
): S3Object {
  return { size, etag: ETag ?? "", modified: LastModified?.getTime() };
}

/** Of `bytes 5-9/10`. */
function totalOf(range: string | undefined): number | undefined {
  const total = /\/(\d+)$/.exec(range ?? "")?.[1];
  return total === undefined ? undefined : Number(total);
}

function toListed({ Key: key, Size: size, ETag, LastModified }: _Object): ListedObject | undefined {
  if (key === undefined) return undefined;
  if (size === undefined || ETag === undefined || LastModified === undefined) return { key, object: undefined };
  return { key, object: toObject(size, { ETag, LastModified: wholeSecond(LastModified) }) };
}

/** As finely as the head of an answer tells the same time. */
function wholeSecond(time: Date): Date {
  return new Date(Math.floor(time.getTime() / 1000) * 1000);
}

/** Some servers give the same page for ever. */
function toPage(found: ListObjectsV2CommandOutput, from: string | undefined): Page {
  const next = found.IsTruncated ? found.NextContinuationToken : undefined;
  if (next !== undefined && next === from) throw new StorageError(S3, "ListObjectsV2 failed: the same page again");
  return {
    objects: (found.Contents ?? []).flatMap((entry) => toListed(entry) ?? []),
    folders: (found.CommonPrefixes ?? []).flatMap(({ Prefix }) => Prefix ?? []),
    next,
  };
}
