import type { ListedChild } from "../driver.ts";
import type { Multipart, PendingUpload } from "./multipart.ts";
import { contradiction, DELETED_AT_ONCE, type ListedObject, type Objects, type S3Object } from "./objects.ts";
import { infoOf } from "./progress.ts";

/**
 * What lies directly below `key`, objects and folders; of two with one name the object. Empty where nothing does.
 * @param key empty for the whole bucket
 */
export async function childrenOf(store: Objects, key: string): Promise<ListedChild[]> {
  const prefix = below(key);
  const found = new Map<string, ListedChild>();
  for await (const { objects, folders } of store.pages({ prefix, delimiter: "/" })) {
    for (const folder of folders) {
      const name = folder.slice(prefix.length, -1);
      if (!found.has(name)) found.set(name, { name, isDirectory: true, info: { size: 0, isDirectory: true } });
    }
    for (const listed of objects) {
      const name = listed.key.slice(prefix.length);
      found.set(name, toChild(name, listed));
    }
  }
  found.delete(""); // a folder that some tool made an object of
  return [...found.values()];
}

function toChild(name: string, { object }: ListedObject): ListedChild {
  return { name, isDirectory: false, ...(object && { info: infoOf({ object, leftovers: [] }) }) };
}

/**
 * What lies at `key`. A 404 to a HEAD has no words and may come from anywhere: a listing has to say it, too.
 * @throws {StorageError} where that contradicts
 */
export async function lookAt(objects: Objects, key: string): Promise<S3Object | "folder" | undefined> {
  const object = await objects.head(key);
  if (object !== undefined) return object;
  const first = await firstKey(objects, key);
  if (first === undefined) return undefined;
  if (first === key) return await headListed(objects, key);
  const inside = isAtOrBelow(first, key) ? first : await firstKey(objects, below(key)); // `a-b` comes before `a/b`
  return inside === undefined ? undefined : "folder";
}

/** It may have come since the first look. */
async function headListed(objects: Objects, key: string): Promise<S3Object> {
  const object = await objects.head(key);
  if (object === undefined) throw contradiction();
  return object;
}

async function firstKey(store: Objects, prefix: string): Promise<string | undefined> {
  const { objects } = await store.list({ prefix, limit: 1 });
  return objects[0]?.key;
}

/**
 * Deletes the object, all below it, and the uploads at both that nobody finished.
 * @returns whether there was anything
 */
export async function removeTree(objects: Objects, multipart: Multipart, key: string): Promise<boolean> {
  const uploads = await uploadsIn(multipart, key);
  for (const upload of uploads) await multipart.abort(upload);
  let found = uploads.length > 0;
  for await (const keys of pagesAtOrBelow(objects, key)) {
    const gone = keys.filter((one) => isAtOrBelow(one, key));
    found ||= gone.length > 0;
    if (gone.length > 0) await objects.removeAll(gone);
  }
  return found;
}

/** Uploads at `key` or below it that nobody finished. */
export async function uploadsIn(multipart: Multipart, key: string): Promise<readonly PendingUpload[]> {
  return (await multipart.list(key)).filter((upload) => isAtOrBelow(upload.key, key));
}

/** In one listing where few keys begin alike, else without those beside, of which there may be many: `a` and `ab`. */
async function* pagesAtOrBelow(store: Objects, key: string): AsyncGenerator<readonly string[], void, void> {
  const first = await store.list({ prefix: key, limit: DELETED_AT_ONCE });
  if (first.next === undefined) return yield keysOf(first.objects);
  yield [key];
  for await (const { objects } of store.pages({ prefix: below(key) })) yield keysOf(objects);
}

function keysOf(objects: readonly ListedObject[]): readonly string[] {
  return objects.map(({ key }) => key);
}

function isAtOrBelow(found: string, key: string): boolean {
  return found === key || found.startsWith(below(key));
}

function below(key: string): string {
  return key === "" ? "" : `${key}/`;
}
