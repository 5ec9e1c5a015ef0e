/**
 * Objects in a bucket of S3 or of a server that speaks its protocol, under the keys and with the multipart uploads of
 * docker/distribution's driver of this name:
 *
 *     <rootdirectory>/docker/registry/v2/…/link       an object a file, of type application/octet-stream
 *     <rootdirectory>/docker/registry/v2/…/data       while it is written: a multipart upload of this key
 *
 * Folders are what keys have in common. There is no move: objects are copied within the bucket.
 *
 * @see storage-layout, section 10, "s3"
 */

import type { Proxies } from "../lib/proxy-variables.ts";
import { checkFolder, checkOffset, checkPath } from "./checks.ts";
import {
  type AtomicDriver,
  type AtomicWriter,
  type BucketDriver,
  type DetailingDriver,
  type FileInfo,
  type FileReader,
  type FileWriter,
  isPath,
  type ListedChild,
  type ReadOptions,
  type RedirectingDriver,
  type RedirectRequest,
  type StagingDriver,
  type UnfinishedObject,
  type WriterOptions,
} from "./driver.ts";
import { PathNotFound, StorageError, WriteConflict } from "./errors.ts";
import { S3AtomicWriter } from "./s3/atomic-writer.ts";
import { Calls } from "./s3/calls.ts";
import { createClient, PATIENCE, type Patience } from "./s3/client.ts";
import { Copying } from "./s3/copying.ts";
import { Multipart } from "./s3/multipart.ts";
import { Objects, type S3Object } from "./s3/objects.ts";
import { parseS3Parameters, S3, type S3Parameters } from "./s3/parameters.ts";
import { PartBuffers } from "./s3/part-buffers.ts";
import { infoOf, ProgressFinder } from "./s3/progress.ts";
import { openReader, readContent } from "./s3/reader.ts";
import { type Presign, presigner } from "./s3/redirects.ts";
import { complete, type Place, type Store } from "./s3/store.ts";
import { childrenOf, lookAt, removeTree, uploadsIn } from "./s3/tree.ts";
import { begin, openWriter } from "./s3/writer.ts";

const MEMORY = { budget: 64 * 1024 * 1024, tenure: 5000 };

/** Bytes of UTF-8, of which a path has one a character. */
const LONGEST_KEY = 1024;

export interface S3Options {
  readonly patience?: Patience;
  /** Bytes in which parts of uploads are gathered, and ms for which one upload keeps others from them. */
  readonly memory?: { readonly budget: number; readonly tenure: number };
  /** Gets a line for each call, where `loglevel` asks for them. */
  readonly debug?: (line: string) => void;
  readonly proxies?: Proxies;
}

/** @throws {StorageError} in one sentence for the operator where a parameter is wrong or the bucket cannot be read */
export async function openS3(
  values: Readonly<Record<string, unknown>>,
  { patience = PATIENCE, memory = MEMORY, debug, proxies = {} }: S3Options = {},
): Promise<S3Driver> {
  const parameters = parseS3Parameters(values);
  const client = createClient(parameters, patience, proxies);
  const calls = new Calls(client, parameters, patience, parameters.logLevel === "off" ? undefined : debug);
  const driver = new S3Driver(parameters, toStore(calls, parameters, memory), presigner(parameters, patience), () =>
    client.destroy(),
  );
  try {
    await driver.list("/");
    return driver;
  } catch (error) {
    await driver[Symbol.asyncDispose]();
    const reason = error instanceof Error ? error.message.replace(/^s3: /, "") : String(error);
    throw new StorageError(S3, `cannot use the bucket ${driver.location}: ${reason}`, { cause: error });
  }
}

function toStore(calls: Calls, parameters: S3Parameters, memory: typeof MEMORY): Store {
  const [objects, multipart] = [new Objects(calls), new Multipart(calls)];
  return {
    objects,
    multipart,
    copying: new Copying(objects, multipart, parameters),
    finder: new ProgressFinder(objects, multipart),
    buffers: new PartBuffers({ ...memory, length: parameters.chunkSize }),
  };
}

export class S3Driver implements StagingDriver, AtomicDriver, RedirectingDriver, BucketDriver, DetailingDriver {
  readonly name: string = S3;
  readonly location: string;
  readonly #prefix: string;
  readonly #store: Store;
  readonly #presign: Presign;
  readonly #end: () => void;

  constructor({ bucket, rootdirectory }: S3Parameters, store: Store, presign: Presign, end: () => void) {
    this.#prefix = rootdirectory === "" ? "" : `${rootdirectory}/`;
    this.location = `s3://${bucket}/${this.#prefix}`;
    this.#store = store;
    this.#presign = presign;
    this.#end = end;
  }

  async getContent(path: string): Promise<Uint8Array> {
    const { key } = this.#existing(path);
    return await readContent(this.#store.objects, key, path);
  }

  async putContent(path: string, content: Uint8Array): Promise<void> {
    const { key } = this.#place(path);
    await this.#store.objects.put(key, content);
  }

  async reader(path: string, offset: number = 0, { length, version }: ReadOptions = {}): Promise<FileReader> {
    checkPath(S3, path);
    checkOffset(S3, path, offset);
    return await openReader(this.#store.objects, this.#existing(path).key, path, { offset, length, etag: version });
  }

  async writer(path: string, options: WriterOptions): Promise<FileWriter> {
    return await openWriter(this.#store, this.#place(path), options);
  }

  async stat(path: string): Promise<FileInfo> {
    checkFolder(S3, path);
    if (path === "/") return { size: 0, isDirectory: true };
    const { key } = this.#existing(path);
    const object = await lookAt(this.#store.objects, key);
    if (object === undefined) throw new PathNotFound(S3, path);
    return object === "folder" ? { size: 0, isDirectory: true } : infoOf({ object, leftovers: [] });
  }

  async beginStaged(path: string): Promise<void> {
    await begin(this.#store, this.#place(path), true);
  }

  async statStaged(path: string): Promise<FileInfo> {
    const progress = await this.#store.finder.find(this.#existing(path).key);
    if (progress === undefined) throw new PathNotFound(S3, path);
    return infoOf(progress);
  }

  async atomicWriter(path: string, aside: string): Promise<AtomicWriter> {
    return new S3AtomicWriter(this.#store, this.#place(path), this.#place(aside));
  }

  async listUnfinished(path: string): Promise<readonly UnfinishedObject[]> {
    const found = await uploadsIn(this.#store.multipart, this.#existing(path).key);
    const all = found.map(({ key, id, begun }) => ({ path: `/${key.slice(this.#prefix.length)}`, id, begun }));
    return all.filter((one) => isPath(one.path)); // a bucket may hold what is nobody's path
  }

  async removeUnfinished({ path, id, begun }: UnfinishedObject): Promise<void> {
    await this.#store.multipart.abort({ key: this.#place(path).key, id, begun });
  }

  async list(path: string): Promise<string[]> {
    return (await this.listDetailed(path)).map(({ name }) => name);
  }

  async listDetailed(path: string): Promise<ListedChild[]> {
    checkFolder(S3, path);
    const key = path === "/" ? this.#prefix.slice(0, -1) : this.#existing(path).key;
    const children = await childrenOf(this.#store.objects, key);
    if (children.length === 0 && path !== "/") throw new PathNotFound(S3, path);
    return children;
  }

  async move(source: string, target: string): Promise<void> {
    const to = this.#place(target);
    const { key } = this.#existing(source);
    const object = await this.#store.objects.head(key);
    if (object === undefined) {
      await this.#store.objects.confirmAbsence(key);
      throw new PathNotFound(S3, source);
    }
    if (source === target) return;
    await this.#copy(key, object, to, source);
    await this.#store.objects.remove(key);
  }

  async commitStaged(path: string, target: string, staged: FileInfo): Promise<void> {
    const to = this.#place(target);
    const place = this.#existing(path);
    const { finder } = this.#store;
    const progress = finder.recall(place.key, staged.version) ?? (await finder.find(place.key));
    if (progress === undefined || infoOf(progress).version !== staged.version) throw new WriteConflict(S3, path);
    const object = await complete(this.#store, place, progress);
    await this.#copy(place.key, object, to, path);
  }

  async delete(path: string): Promise<void> {
    const { key } = this.#existing(path);
    const { objects, multipart } = this.#store;
    if (!(await removeTree(objects, multipart, key))) throw new PathNotFound(S3, path);
  }

  async redirectUrl(path: string, { method }: RedirectRequest): Promise<URL | undefined> {
    return await this.#presign(method, this.#place(path).key);
  }

  bucketKey(path: string): string {
    return this.#place(path).key;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end();
  }

  async #copy(key: string, { etag, size }: S3Object, target: Place, source: string): Promise<void> {
    if (!(await this.#store.copying.copy({ key, etag, size }, target.key))) throw new WriteConflict(S3, source);
  }

  #place(path: string): Place {
    checkPath(S3, path);
    const key = this.#prefix + path.slice(1);
    if (key.length > LONGEST_KEY) throw new StorageError(S3, `a key has at most ${LONGEST_KEY} bytes: ${path}`);
    return { key, path };
  }

  /** Nothing is where nothing can be. */
  #existing(path: string): Place {
    checkPath(S3, path);
    if (this.#prefix.length + path.length - 1 > LONGEST_KEY) throw new PathNotFound(S3, path);
    return this.#place(path);
  }
}
