import { algorithmOf, type Digest, digestOf } from "../oci/digest.ts";
import { Unknown } from "../oci/errors.ts";
import { MANIFEST_LIMIT } from "../oci/manifest.ts";
import type { RepositoryName } from "../oci/names.ts";
import type { RegistryContext } from "./context.ts";
import { absentIfNotFound, readLink } from "./links.ts";
import { blobPath, revisionLinkPath } from "./paths.ts";

/**
 * The checked bytes of a revision, or undefined where the repository does not link it or the bytes are gone.
 * @throws {Unknown} where the stored bytes are damaged
 */
export async function readRevision(
  context: RegistryContext,
  repository: RepositoryName,
  digest: Digest,
): Promise<Uint8Array | undefined> {
  const target = await readLink(context.driver, revisionLinkPath(repository, digest));
  if (target === undefined) return undefined;
  const bytes = await readManifestBytes(context, target);
  if (bytes === undefined) return undefined;
  if (bytes.length > MANIFEST_LIMIT || digestOf(bytes, algorithmOf(target)) !== target) {
    context.warn("a stored manifest is damaged and is not served; push it again to mend it", { repository, digest });
    throw new Unknown("the stored manifest is damaged; push it again to mend it");
  }
  return bytes;
}

/** Unchecked, and at most one byte more than a manifest may have. */
async function readManifestBytes({ driver }: RegistryContext, digest: Digest): Promise<Uint8Array | undefined> {
  const opened = await absentIfNotFound(driver.reader(blobPath(digest)));
  if (opened === undefined) return undefined;
  await using reader = opened;
  const bytes = new Uint8Array(Math.min(reader.size, MANIFEST_LIMIT + 1));
  let length = 0;
  while (length < bytes.length) {
    const count = await reader.read(bytes.subarray(length));
    if (count === 0) break;
    length += count;
  }
  return bytes.subarray(0, length);
}
