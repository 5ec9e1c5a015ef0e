import type { Digest } from "../oci/digest.ts";
import { ManifestUnknown, Unknown } from "../oci/errors.ts";
import { MANIFEST_LIMIT } from "../oci/manifest.ts";
import type { RepositoryName } from "../oci/names.ts";
import { readContent } from "./content.ts";
import type { RegistryContext } from "./context.ts";

/**
 * The checked bytes of a revision, or undefined where the repository does not link it or the bytes are gone.
 * @throws {Unknown} where the stored bytes are damaged
 */
export async function readRevision(
  context: RegistryContext,
  repository: RepositoryName,
  digest: Digest,
): Promise<Uint8Array | undefined> {
  const { revisions, manifestMemory } = context;
  const known = manifestMemory.get(digest);
  if (known) return (await revisions.has(repository, digest)) ? known : undefined;
  const target = await revisions.read(repository, digest);
  const content = target && (await readContent(context, target, MANIFEST_LIMIT));
  if (content === "damaged") {
    context.warn("a stored manifest is damaged and is not served; push it again to mend it", { repository, digest });
    throw new Unknown("the stored manifest is damaged; push it again to mend it");
  }
  if (content && target === digest) manifestMemory.set(digest, content);
  return content;
}

export function unknownRevision(repository: RepositoryName, digest: Digest): ManifestUnknown {
  return new ManifestUnknown(`unknown manifest name=${repository} revision=${digest}`);
}
