import { type Digest, isDigest } from "../oci/digest.ts";
import type { StorageDriver } from "../storage/driver.ts";
import { PathNotFound } from "../storage/errors.ts";

/** @returns undefined where there is no link, and where the file holds no digest (a peer's crash leaves empty ones) */
export async function readLink(driver: StorageDriver, path: string): Promise<Digest | undefined> {
  const content = await absentIfNotFound(driver.getContent(path));
  if (content === undefined) return undefined;
  const text = Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString("latin1").trimEnd();
  return isDigest(text) ? text : undefined;
}

export async function writeLink(driver: StorageDriver, path: string, digest: Digest): Promise<void> {
  await driver.putContent(path, Buffer.from(digest, "latin1"));
}

/** Turns "nothing at that path" into undefined. */
export async function absentIfNotFound<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof PathNotFound) return undefined;
    throw error;
  }
}
