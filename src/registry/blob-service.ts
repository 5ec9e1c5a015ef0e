import type { BlobDigest } from "../oci/blob-digest.ts";
import type { BlobDescriptor, MountedBlob } from "../oci/descriptor.ts";
import { BlobUnknown } from "../oci/errors.ts";
import { MediaType } from "../oci/media-types.ts";
import type { RepositoryName } from "../oci/names.ts";
import { type RegistryContext, requireDeletion } from "./context.ts";
import type { Blob, BlobService } from "./registry.ts";
import { StoredBlob } from "./stored-blob.ts";

export class StoredBlobService implements BlobService {
  readonly #context: RegistryContext;
  readonly #repository: RepositoryName;

  constructor(context: RegistryContext, repository: RepositoryName) {
    this.#context = context;
    this.#repository = repository;
  }

  async open(digest: BlobDigest): Promise<Blob> {
    const found = await this.#context.blobs.find(this.#repository, digest);
    if (found === undefined) throw new BlobUnknown(digest);
    return new StoredBlob(this.#context, toDescriptor(digest, found.size), found);
  }

  async has(digest: BlobDigest): Promise<boolean> {
    return (await this.#context.blobs.find(this.#repository, digest)) !== undefined;
  }

  async mount(digest: BlobDigest, from: MountSource = () => true): Promise<MountedBlob> {
    const source = typeof from === "string" ? from : await this.#context.findHolder(digest, from);
    const found = source && (await this.#context.blobs.findStored(source, digest));
    if (!found) throw new BlobUnknown(digest);
    const { target, size } = found;
    await this.#context.blobs.write(this.#repository, digest, { target, size });
    return { ...toDescriptor(digest, size), from: source };
  }

  async delete(digest: BlobDigest): Promise<void> {
    requireDeletion(this.#context);
    const { blobs, locks } = this.#context;
    await locks.exclusive(this.#repository, async () => {
      if (!(await blobs.delete(this.#repository, digest))) throw new BlobUnknown();
    });
  }
}

type MountSource = Parameters<BlobService["mount"]>[1];

function toDescriptor(digest: BlobDigest, size: number): BlobDescriptor {
  return { mediaType: MediaType.octetStream, digest, size };
}
