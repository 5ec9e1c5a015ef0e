import type { Multipart, PendingUpload } from "./multipart.ts";
import { DELETED_AT_ONCE, type Objects, type Page } from "./objects.ts";

/**
 * Names of what lies directly below `key`, objects and folders. Empty where nothing does.
 * @param key empty for the whole bucket
 */
export async function childrenOf(objects: Objects, key: string): Promise<string[]> {
  const prefix = below(key);
  const names = new Set<string>();
  for await (const { keys, folders } of objects.pages({ prefix, delimiter: "/" })) {
    for (const found of keys) names.add(found.slice(prefix.length));
    for (const found of folders) names.add(found.slice(prefix.length, -1));
  }
  names.delete(""); // a folder that some tool made an object of
  return [...names];
}

/** Whether anything lies below `key`. */
export async function isFolder(objects: Objects, key: string): Promise<boolean> {
  const { keys } = await objects.list({ prefix: below(key), limit: 1 });
  return keys.length > 0;
}

/**
 * Deletes the object, all below it, and the uploads at both that nobody finished.
 * @returns whether there was anything
 */
export async function removeTree(objects: Objects, multipart: Multipart, key: string): Promise<boolean> {
  const uploads = await uploadsIn(multipart, key);
  for (const upload of uploads) await multipart.abort(upload);
  let found = uploads.length > 0;
  for await (const { keys } of pagesAtOrBelow(objects, key)) {
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
async function* pagesAtOrBelow(objects: Objects, key: string): AsyncGenerator<Pick<Page, "keys">, void, void> {
  const first = await objects.list({ prefix: key, limit: DELETED_AT_ONCE });
  if (first.next === undefined) return yield first;
  yield { keys: [key] };
  yield* objects.pages({ prefix: below(key) });
}

function isAtOrBelow(found: string, key: string): boolean {
  return found === key || found.startsWith(below(key));
}

function below(key: string): string {
  return key === "" ? "" : `${key}/`;
}
