import { algorithmOf, type Digest, digestOf } from "../oci/digest.ts";
import { BlobUnknown, ManifestInvalid } from "../oci/errors.ts";
import { MediaType } from "../oci/media-types.ts";
import type { Tag } from "../oci/names.ts";
import { EMPTY_LAYER, toSchema1 } from "../oci/schema1/conversion.ts";
import type { Blob, Repository, StoredManifest } from "../registry/registry.ts";
import type { Edge } from "./edge.ts";

/** Bytes of a configuration that is read whole; the usual ones have some ten thousand. */
const CONFIG_LIMIT = 1024 * 1024;

/**
 * An image of schema 2 as it is told to clients of Docker before 1.10. Nothing of it is stored but the layer that steps
 * without a change of files are given.
 * @throws {ManifestInvalid} where the image cannot be told so
 * @see manifests, section 5.4
 */
export async function toSchema1Manifest(
  edge: Edge,
  repository: Repository,
  image: StoredManifest,
  tag: Tag,
): Promise<StoredManifest> {
  const { kinds } = edge.registry;
  const { config, layers } = kinds.read(image.bytes);
  const signing = kinds.signingOf(MediaType.dockerSchema1Signed);
  if (image.mediaType !== MediaType.dockerManifest || !config || !signing) {
    throw new ManifestInvalid(`what is tagged ${tag} cannot be told as schema 1, which is all that this client takes`);
  }
  const bytes = await readConfig(repository, config.digest);
  const { payload, digest, needsEmptyLayer } = toSchema1({ layers }, bytes, repository.name, tag);
  if (needsEmptyLayer) await provideEmptyLayer(edge, repository);
  return {
    digest,
    mediaType: MediaType.dockerSchema1Signed,
    bytes: await signing.print({ payload, signatures: [] }),
  };
}

/** Checked: a manifest of damaged bytes would be named by a digest and signed like any other. */
async function readConfig(repository: Repository, digest: Digest): Promise<Uint8Array> {
  const blob = await openConfig(repository, digest);
  const { size } = blob.descriptor;
  if (size > CONFIG_LIMIT) {
    throw new ManifestInvalid(`the configuration has ${size} bytes: up to ${CONFIG_LIMIT} can be told as schema 1`);
  }
  const bytes = await readWhole(blob);
  if (digestOf(bytes, algorithmOf(digest)) === digest) return bytes;
  throw new ManifestInvalid(`the configuration ${digest} is damaged`);
}

/** Shorter where the storage lost bytes. */
async function readWhole(blob: Blob): Promise<Uint8Array> {
  await using reader = await blob.read();
  const bytes = new Uint8Array(blob.descriptor.size);
  let length = 0;
  while (length < bytes.length) {
    const count = await reader.read(bytes.subarray(length));
    if (count === 0) break;
    length += count;
  }
  return bytes.subarray(0, length);
}

async function openConfig({ blobs }: Repository, digest: Digest): Promise<Blob> {
  try {
    return await blobs.open(digest);
  } catch (error) {
    throw error instanceof BlobUnknown ? new ManifestInvalid(`the configuration ${digest} is not here`) : error;
  }
}

async function provideEmptyLayer(edge: Edge, { blobs, uploads }: Repository): Promise<void> {
  const { digest, bytes } = EMPTY_LAYER;
  if (await blobs.has(digest)) return;
  if (edge.readOnly) {
    throw new ManifestInvalid(`schema 1 needs the empty layer ${digest} here, and this registry is read-only`);
  }
  const upload = await uploads.start();
  await (await upload.append(bytes)).commit(digest);
}
