/** Schema 1 manifests in a storage, laid down by hand as the registries of 2015 left them. @see storage-layout, section 1 */
import { type Digest, digestOf } from "../../src/oci/digest.ts";
import type { StorageDriver } from "../../src/storage/driver.ts";

const ROOT = "/docker/registry/v2";

export interface StoredSchema1 {
  readonly repository: string;
  readonly tag: string;
  readonly payload: Uint8Array;
  /** Each as the JSON of one JWS signature. */
  readonly signatures?: readonly Uint8Array[];
}

/** A revision under its tag, nothing of its layers. @returns the digest */
export async function layDownSchema1(driver: StorageDriver, stored: StoredSchema1): Promise<Digest> {
  const { repository, tag, payload, signatures = [] } = stored;
  const digest = await layDownBlob(driver, payload);
  const manifests = `${ROOT}/repositories/${repository}/_manifests`;
  await driver.putContent(`${revisionFolder(repository, digest)}/link`, Buffer.from(digest));
  await driver.putContent(`${manifests}/tags/${tag}/current/link`, Buffer.from(digest));
  await driver.putContent(`${manifests}/tags/${tag}/index/${inPath(digest)}/link`, Buffer.from(digest));
  for (const bytes of signatures) {
    const signature = await layDownBlob(driver, bytes);
    const link = `${signaturesFolder(repository, digest)}/${inPath(signature)}/link`;
    await driver.putContent(link, Buffer.from(signature));
  }
  return digest;
}

export async function layDownBlob(driver: StorageDriver, bytes: Uint8Array): Promise<Digest> {
  const digest = digestOf(bytes);
  await driver.putContent(blobPath(digest), bytes);
  return digest;
}

export function blobPath(digest: string): string {
  const hex = digest.slice("sha256:".length);
  return `${ROOT}/blobs/sha256/${hex.slice(0, 2)}/${hex}/data`;
}

export function signaturesFolder(repository: string, digest: string): string {
  return `${revisionFolder(repository, digest)}/signatures`;
}

/** The link of a layer that is named by a tarsum of version 1. */
export function tarsumLink(repository: string, tarsum: string): string {
  const hex = tarsum.slice("tarsum.v1+sha256:".length);
  return `${ROOT}/repositories/${repository}/_layers/tarsum/v1/sha256/${hex}/link`;
}

export function revisionFolder(repository: string, digest: string): string {
  return `${ROOT}/repositories/${repository}/_manifests/revisions/${inPath(digest)}`;
}

function inPath(digest: string): string {
  return digest.replace(":", "/");
}
