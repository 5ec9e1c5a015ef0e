import type { Descriptor } from "../oci/descriptor.ts";
import { algorithmOf, type Digest, digestOf } from "../oci/digest.ts";
import { BlobUnknown } from "../oci/errors.ts";
import { MediaType } from "../oci/media-types.ts";
import type { RepositoryName } from "../oci/names.ts";
import { PathNotFound } from "../storage/errors.ts";
import { type RegistryContext, requireDeletion } from "./context.ts";
import { absentIfNotFound, readLink, writeLink } from "./links.ts";
import { blobPath, layerLinkPath } from "./paths.ts";
import type { Blob, BlobReader, BlobService, ByteRange } from "./registry.ts";

export class StoredBlobService implements BlobService {
  readonly #context: RegistryContext;
  readonly #repository: RepositoryName;

  constructor(context: RegistryContext, repository: RepositoryName) {
    this.#context = context;
    this.#repository = repository;
  }

  async open(digest: Digest): Promise<Blob> {
    const found = await findBlob(this.#context, this.#repository, digest);
    if (found === undefined) throw new BlobUnknown(digest);
    const { target, size } = found;
    return {
      descriptor: toDescriptor(digest, size),
      read: (range = { start: 0, length: size }) => this.#read(digest, target, range),
    };
  }

  async mount(digest: Digest, from?: RepositoryName): Promise<Descriptor> {
    const source = from ?? (await this.#context.findHolder(digest));
    const found = source && (await findBlob(this.#context, source, digest));
    if (!found) throw new BlobUnknown(digest);
    const { driver } = this.#context;
    await writeLink(driver, layerLinkPath(this.#repository, found.target), found.target);
    if (found.target !== digest) await writeLink(driver, layerLinkPath(this.#repository, digest), found.target);
    return toDescriptor(digest, found.size);
  }

  async delete(digest: Digest): Promise<void> {
    requireDeletion(this.#context);
    const { driver, locks } = this.#context;
    await locks.exclusive(this.#repository, async () => {
      try {
        await driver.delete(layerLinkPath(this.#repository, digest));
      } catch (error) {
        throw error instanceof PathNotFound ? new BlobUnknown() : error;
      }
    });
  }

  async #read(digest: Digest, target: Digest, range: ByteRange): Promise<BlobReader> {
    const options = { length: range.length };
    const reader = await absentIfNotFound(this.#context.driver.reader(blobPath(target), range.start, options));
    if (reader === undefined) throw new BlobUnknown(digest);
    let left = range.length;
    return {
      async read(into) {
        const count = await reader.read(into.length > left ? into.subarray(0, left) : into);
        left -= count;
        return count;
      },
      [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
    };
  }
}

/** A blob as one repository sees it: its link, and the size of the bytes that the link names. */
export async function findBlob(
  { driver }: RegistryContext,
  repository: RepositoryName,
  digest: Digest,
): Promise<{ readonly target: Digest; readonly size: number } | undefined> {
  const target = await readLink(driver, layerLinkPath(repository, digest));
  if (target === undefined) return undefined;
  const info = await absentIfNotFound(driver.stat(blobPath(target)));
  if (info === undefined || info.isDirectory || (info.size === 0 && !isEmpty(target))) return undefined;
  return { target, size: info.size };
}

/** A file without bytes under any other digest is what a crash of a peer left: who pushes it again mends it. */
function isEmpty(digest: Digest): boolean {
  return digestOf(new Uint8Array(), algorithmOf(digest)) === digest;
}

function toDescriptor(digest: Digest, size: number): Descriptor {
  return { mediaType: MediaType.octetStream, digest, size };
}
