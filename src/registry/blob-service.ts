import type { BlobDigest } from "../oci/blob-digest.ts";
import type { BlobDescriptor } from "../oci/descriptor.ts";
import { BlobUnknown } from "../oci/errors.ts";
import { MediaType } from "../oci/media-types.ts";
import type { RepositoryName } from "../oci/names.ts";
import { PathNotFound } from "../storage/errors.ts";
import { findBlob } from "./blob-link.ts";
import { type RegistryContext, requireDeletion } from "./context.ts";
import { writeLink } from "./links.ts";
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
    const found = await findBlob(this.#context, this.#repository, digest);
    if (found === undefined) throw new BlobUnknown(digest);
    const path = this.#context.paths.blob(found.target);
    return new StoredBlob(this.#context, toDescriptor(digest, found.size), path, found.modified);
  }

  async has(digest: BlobDigest): Promise<boolean> {
    return (await findBlob(this.#context, this.#repository, digest)) !== undefined;
  }

  async mount(digest: BlobDigest, from?: RepositoryName): Promise<BlobDescriptor> {
    const source = from ?? (await this.#context.findHolder(digest));
    const found = source && (await findBlob(this.#context, source, digest));
    if (!found) throw new BlobUnknown(digest);
    const { driver, paths } = this.#context;
    for (const name of new Set([found.target, digest])) {
      await writeLink(driver, paths.layerLink(this.#repository, name), found.target);
    }
    return toDescriptor(digest, found.size);
  }

  async delete(digest: BlobDigest): Promise<void> {
    requireDeletion(this.#context);
    const { driver, locks } = this.#context;
    await locks.exclusive(this.#repository, async () => {
      try {
        await driver.delete(this.#context.paths.layerLink(this.#repository, digest));
      } catch (error) {
        throw error instanceof PathNotFound ? new BlobUnknown() : error;
      }
    });
  }
}

function toDescriptor(digest: BlobDigest, size: number): BlobDescriptor {
  return { mediaType: MediaType.octetStream, digest, size };
}
