import { setTimeout } from "node:timers/promises";
import { type BlobDigest, isBlobDigest } from "../oci/blob-digest.ts";
import { type Digest, isDigest } from "../oci/digest.ts";
import { canRecall, type FileInfo, type StorageDriver } from "../storage/driver.ts";
import { PathNotFound } from "../storage/errors.ts";

/** Waits before a link without a digest is looked at again: on a busy machine its writer may not run for long. ms */
const PATIENCE: readonly number[] = [1, 2, 4, 8, 16, 32, 64];

/**
 * A peer truncates a link and writes it in place, so one that holds no digest is looked at again for a moment.
 * @returns undefined where there is no link, and where it stays without a digest, as a peer's crash leaves it
 */
export function readLink(driver: StorageDriver, path: string): Promise<Digest | undefined> {
  return readLinkTo(driver, path, isDigest);
}

/** The same for the link of a layer, which in 2014 could name a tarsum. */
export function readBlobLink(driver: StorageDriver, path: string): Promise<BlobDigest | undefined> {
  return readLinkTo(driver, path, isBlobDigest);
}

async function readLinkTo<T extends string>(
  driver: StorageDriver,
  path: string,
  isTarget: (text: string) => text is T,
): Promise<T | undefined> {
  const known = canRecall(driver) ? driver.recallContent(path)?.trimEnd() : undefined;
  if (known !== undefined && isTarget(known)) return known;
  for (let attempt = 0; ; attempt++) {
    const content = await absentIfNotFound(driver.getContent(path));
    if (content === undefined) return undefined;
    const text = Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString("latin1").trimEnd();
    if (isTarget(text)) return text;
    const wait = PATIENCE[attempt];
    if (wait === undefined) return undefined;
    await setTimeout(wait);
  }
}

export async function writeLink(driver: StorageDriver, path: string, target: BlobDigest): Promise<void> {
  await driver.putContent(path, Buffer.from(target, "latin1"));
}

/** @returns undefined where there is nothing */
export async function infoOf(driver: StorageDriver, path: string): Promise<FileInfo | undefined> {
  const known = canRecall(driver) ? driver.recallInfo(path) : undefined;
  return known ?? (await absentIfNotFound(driver.stat(path)));
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
