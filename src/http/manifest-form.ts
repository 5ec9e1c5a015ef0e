/**
 * What a client gets that asks for a tag and says what it takes. By its digest a manifest is always as it was pushed.
 *
 * @see http-api, section 6, "Accept handling"
 */
import { ManifestUnknown } from "../oci/errors.ts";
import type { ManifestKinds } from "../oci/manifest-kinds.ts";
import { MediaType } from "../oci/media-types.ts";
import type { Tag } from "../oci/names.ts";
import type { Repository, StoredManifest, UnsignedManifest } from "../registry/registry.ts";
import { acceptsAnything, parseAccept } from "./accept.ts";
import type { Reply } from "./reply.ts";

/** Whether clients get one or another of it: Docker's lists, and its images where they can be converted to schema 1. */
export function hasForms({ schema1 }: Repository, { mediaType }: StoredManifest): boolean {
  return mediaType === MediaType.dockerList || (mediaType === MediaType.dockerManifest && schema1 !== undefined);
}

/** For caches between here and the client, which the operator may have told of other headers. */
export function varyByAccept(reply: Reply): void {
  const others = reply.getHeader("vary");
  reply.header("vary", others === undefined ? "Accept" : `${others}, Accept`);
}

/**
 * Of what {@link hasForms}: clients that know images but no lists of them, and say so, get the image for linux/amd64 of a Docker list; those that
 * know schema 1 alone get that where it is enabled.
 * @throws {ManifestUnknown} where a list has no such image
 * @throws {ManifestInvalid} where it cannot be converted
 */
export async function toForm(
  kinds: ManifestKinds,
  repository: Repository,
  stored: StoredManifest,
  tag: Tag,
  acceptHeader: string | undefined,
): Promise<StoredManifest | UnsignedManifest> {
  const { schema1 } = repository;
  const wanted = wantedType(stored.mediaType, parseAccept(acceptHeader), schema1 !== undefined);
  if (wanted === stored.mediaType) return stored;
  const image = stored.mediaType === MediaType.dockerList ? await imageOf(kinds, repository, stored, tag) : stored;
  return wanted === MediaType.dockerSchema1Signed && schema1 ? await schema1.convert(image, tag) : image;
}

/** The newest of Docker's own types that the client takes, as far as it says. */
function wantedType(stored: string, accept: ReadonlySet<string>, schema1: boolean): string {
  if (acceptsAnything(accept) || accept.has(stored)) return stored;
  if (accept.has(MediaType.dockerManifest)) return MediaType.dockerManifest;
  const old = accept.has(MediaType.dockerSchema1) || accept.has(MediaType.dockerSchema1Signed);
  return schema1 && old ? MediaType.dockerSchema1Signed : stored;
}

async function imageOf(
  kinds: ManifestKinds,
  repository: Repository,
  list: StoredManifest,
  tag: Tag,
): Promise<StoredManifest> {
  const child = kinds
    .read(list.bytes)
    .manifests.find(({ platform }) => platform?.os === "linux" && platform.architecture === "amd64");
  if (!child) throw new ManifestUnknown(`the list tagged ${tag} has no image for linux/amd64`);
  return await repository.manifests.get(child.digest);
}
