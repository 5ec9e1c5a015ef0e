import { mapConcurrent } from "../lib/concurrency.ts";
import type { Digest } from "../oci/digest.ts";
import { ManifestUnknown } from "../oci/errors.ts";
import { type Manifest, readMediaType } from "../oci/manifest.ts";
import { isTag, type RepositoryName, type Tag } from "../oci/names.ts";
import { PathNotFound } from "../storage/errors.ts";
import { type RegistryContext, requireDeletion } from "./context.ts";
import { listDigests } from "./digest-folders.ts";
import { absentIfNotFound, readLink, writeLink } from "./links.ts";
import { checkReferences } from "./manifest-references.ts";
import { blobPath, revisionLinkPath, revisionsPath, tagCurrentPath, tagsPath } from "./paths.ts";
import { recordReferrer } from "./referrers-table.ts";
import type { ListOptions, ManifestService, StoredManifest } from "./registry.ts";
import { readRevision } from "./revision.ts";
import { deleteTag } from "./tag-service.ts";

export class StoredManifestService implements ManifestService {
  readonly #context: RegistryContext;
  readonly #repository: RepositoryName;

  constructor(context: RegistryContext, repository: RepositoryName) {
    this.#context = context;
    this.#repository = repository;
  }

  async get(digest: Digest): Promise<StoredManifest> {
    const bytes = await readRevision(this.#context, this.#repository, digest);
    if (bytes === undefined) throw this.#unknown(digest);
    const mediaType = this.#context.mediaTypes.get(digest) ?? readMediaType(bytes);
    this.#context.mediaTypes.set(digest, mediaType);
    return { digest, mediaType, bytes };
  }

  async has(digest: Digest): Promise<boolean> {
    return (await readLink(this.#context.driver, revisionLinkPath(this.#repository, digest))) !== undefined;
  }

  async *list({ after, signal }: ListOptions<Digest> = {}): AsyncGenerator<Digest, void, void> {
    const all = await listDigests(this.#context, (algorithm) => revisionsPath(this.#repository, algorithm));
    const digests = all.filter((digest) => after === undefined || digest > after).sort();
    for (const digest of digests) {
      signal?.throwIfAborted();
      if (await this.has(digest)) yield digest; // a deleted one leaves its folder
    }
  }

  async put(manifest: Manifest, digest: Digest): Promise<readonly string[]> {
    return await this.#context.locks.shared(this.#repository, async () => {
      const warnings = await checkReferences(this.#context, this.#repository, manifest);
      // Also where it is stored already: that may be damaged, or not be durable yet.
      await this.#context.driver.putContent(blobPath(digest), manifest.bytes);
      await recordReferrer(this.#context, this.#repository, manifest, digest);
      await writeLink(this.#context.driver, revisionLinkPath(this.#repository, digest), digest);
      return warnings;
    });
  }

  async delete(digest: Digest): Promise<Tag[]> {
    requireDeletion(this.#context);
    return await this.#context.locks.exclusive(this.#repository, async () => {
      if (!(await this.has(digest))) throw this.#unknown(digest);
      const tags = await this.#untag(digest);
      await this.#unlink(digest);
      // Another process may have tagged it before it was gone.
      return [...new Set([...tags, ...(await this.#untag(digest))])];
    });
  }

  async #untag(digest: Digest): Promise<Tag[]> {
    const tags = await this.#tagsOf(digest);
    const [last, ...others] = tags;
    const { tagConcurrency } = this.#context.options;
    const remove = (durable: boolean) => (tag: Tag) =>
      deleteTag(this.#context, this.#repository, tag, { ifAt: digest, durable });
    await mapConcurrent(others, tagConcurrency, remove(false));
    if (last !== undefined) await remove(true)(last); // their folder, once for all
    return tags;
  }

  async #tagsOf(digest: Digest): Promise<Tag[]> {
    const { driver, options } = this.#context;
    const tags = ((await absentIfNotFound(driver.list(tagsPath(this.#repository)))) ?? []).filter(isTag).sort();
    const targets = await mapConcurrent(tags, options.tagConcurrency, (tag) =>
      readLink(driver, tagCurrentPath(this.#repository, tag)),
    );
    return tags.filter((_, index) => targets[index] === digest);
  }

  async #unlink(digest: Digest): Promise<void> {
    try {
      await this.#context.driver.delete(revisionLinkPath(this.#repository, digest));
    } catch (error) {
      throw error instanceof PathNotFound ? this.#unknown(digest) : error;
    }
  }

  #unknown(digest: Digest): ManifestUnknown {
    return new ManifestUnknown(`unknown manifest name=${this.#repository} revision=${digest}`);
  }
}
