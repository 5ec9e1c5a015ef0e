import { NameInvalid, TagInvalid } from "../oci/errors.ts";
import type { Manifest } from "../oci/manifest.ts";
import type { RepositoryName, Tag } from "../oci/names.ts";

/**
 * The rule of 2015: a manifest that says where it belongs is pushed there, under its own tag or by its digest.
 * @param tags that it is to be given
 * @throws {NameInvalid}
 * @throws {TagInvalid}
 * @see docs/decisions/0011-schema-1.md
 */
export function checkPlace({ place }: Manifest, repository: RepositoryName, tags: readonly Tag[]): void {
  if (place === undefined) return;
  if (place.repository !== repository) {
    throw new NameInvalid(`the manifest is one of the repository ${place.repository}, not of ${repository}`);
  }
  const other = tags.find((tag) => tag !== place.tag);
  if (other === undefined) return;
  throw new TagInvalid(`the manifest is of the tag ${place.tag || "(none)"}, not ${other}`);
}
