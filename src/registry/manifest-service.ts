import { mapConcurrent } from "../lib/concurrency.ts";
import { algorithmOf, type Digest, digestOf } from "../oci/digest.ts";
import { DigestInvalid } from "../oci/errors.ts";
import type { Manifest } from "../oci/manifest.ts";
import type { ManifestSigning } from "../oci/manifest-kind.ts";
import { isTag, type RepositoryName, type Tag } from "../oci/names.ts";
import { type RegistryContext, requireDeletion } from "./context.ts";
import { listDigests } from "./digest-folders.ts";
import { absentIfNotFound, readLink } from "./links.ts";
import { LOOK_AHEAD } from "./look-ahead.ts";
import { checkPlace } from "./manifest-place.ts";
import { checkReferences } from "./manifest-references.ts";
import { recordReferrer } from "./referrers-table.ts";
import type { ListOptions, ManifestPutOptions, ManifestService, StoredManifest } from "./registry.ts";
import { readRevision, unknownRevision } from "./revision.ts";
import { StoredSignatureService } from "./signature-service.ts";
import { deleteTag, StoredTagService } from "./tag-service.ts";

export class StoredManifestService implements ManifestService {
  readonly #context: RegistryContext;
  readonly #repository: RepositoryName;

  constructor(context: RegistryContext, repository: RepositoryName) {
    this.#context = context;
    this.#repository = repository;
  }

  async get(digest: Digest): Promise<StoredManifest> {
    const bytes = await readRevision(this.#context, this.#repository, digest);
    if (bytes === undefined) throw unknownRevision(this.#repository, digest);
    const { mediaTypes, kinds } = this.#context;
    const mediaType = mediaTypes.get(digest) ?? kinds.mediaTypeOf(bytes);
    mediaTypes.set(digest, mediaType);
    const signing = kinds.signingOf(mediaType);
    return { digest, mediaType, bytes: signing ? await this.#print(signing, digest, bytes) : bytes };
  }

  async getByTag(tag: Tag): Promise<StoredManifest> {
    return await this.get(await new StoredTagService(this.#context, this.#repository).resolve(tag));
  }

  async has(digest: Digest): Promise<boolean> {
    return await this.#context.revisions.has(this.#repository, digest);
  }

  async *list({ after, signal }: ListOptions<Digest> = {}): AsyncGenerator<Digest, void, void> {
    const all = await listDigests(this.#context, (algorithm) =>
      this.#context.paths.revisions(this.#repository, algorithm),
    );
    const digests = all.filter((digest) => after === undefined || digest > after).sort();
    for (let i = 0; i < digests.length; i += LOOK_AHEAD) {
      const some = digests.slice(i, i + LOOK_AHEAD);
      const stored = await this.#context.lookAhead.at(some, (digest) => this.#isStored(digest));
      // A deleted one leaves its folder.
      for (const digest of some.filter((_, index) => stored[index])) {
        signal?.throwIfAborted();
        yield digest;
      }
    }
  }

  async put(manifest: Manifest, digest: Digest, { tags = [] }: ManifestPutOptions = {}): Promise<readonly string[]> {
    checkDigest(manifest, digest);
    checkPlace(manifest, this.#repository, tags);
    const { mediaType, bytes: payload, signatures = [] } = manifest;
    await this.#context.kinds.signingOf(mediaType)?.verify({ payload, signatures });
    return await this.#context.locks.shared(this.#repository, async () => {
      const warnings = await checkReferences(this.#context, this.#repository, manifest);
      // Also where it is stored already: that may be damaged, or not be durable yet.
      await this.#context.driver.putContent(this.#context.paths.blob(digest), manifest.bytes);
      await recordReferrer(this.#context, this.#repository, manifest, digest);
      await this.#context.revisions.write(this.#repository, digest);
      return warnings;
    });
  }

  async delete(digest: Digest): Promise<Tag[]> {
    requireDeletion(this.#context);
    return await this.#context.locks.exclusive(this.#repository, async () => {
      if (!(await this.#isStored(digest))) throw unknownRevision(this.#repository, digest);
      const tags = await this.#untag(digest);
      await this.#unlink(digest);
      // Another process may have tagged it before it was gone.
      const later = await this.#untag(digest);
      await this.#deleteSignatures(digest);
      return [...new Set([...tags, ...later])];
    });
  }

  async #isStored(digest: Digest): Promise<boolean> {
    return (await this.#context.revisions.read(this.#repository, digest)) !== undefined;
  }

  async #print(signing: ManifestSigning, digest: Digest, payload: Uint8Array): Promise<Uint8Array> {
    const signatures = await new StoredSignatureService(this.#context, this.#repository).get(digest);
    return await signing.print({ payload, signatures });
  }

  async #untag(digest: Digest): Promise<Tag[]> {
    const tags = await this.#tagsOf(digest);
    const [last, ...others] = tags;
    if (last === undefined) return tags;
    const { tagConcurrency } = this.#context.options;
    await mapConcurrent(others, tagConcurrency, (tag) => this.#deleteTag(tag, digest, false));
    await this.#deleteTag(last, digest, true); // their folder, once for all
    return tags;
  }

  #deleteTag(tag: Tag, digest: Digest, durable: boolean): Promise<void> {
    return deleteTag(this.#context, this.#repository, tag, { ifAt: digest, durable });
  }

  async #tagsOf(digest: Digest): Promise<Tag[]> {
    const { driver, options } = this.#context;
    const tags = ((await absentIfNotFound(driver.list(this.#context.paths.tags(this.#repository)))) ?? [])
      .filter(isTag)
      .sort();
    const targets = await mapConcurrent(tags, options.tagConcurrency, (tag) =>
      readLink(driver, this.#context.paths.tagCurrent(this.#repository, tag)),
    );
    return tags.filter((_, index) => targets[index] === digest);
  }

  async #unlink(digest: Digest): Promise<void> {
    const { revisions } = this.#context;
    if (!(await revisions.delete(this.#repository, digest))) throw unknownRevision(this.#repository, digest);
  }

  /** The manifest is gone by now: signatures that stay serve nobody and harm nobody. */
  async #deleteSignatures(digest: Digest): Promise<void> {
    const { driver, paths, warn } = this.#context;
    try {
      await absentIfNotFound(driver.delete(paths.signatures(this.#repository, digest), { durable: false }));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      warn("the signatures of a deleted manifest stay behind", { repository: this.#repository, digest, reason });
    }
  }
}

function checkDigest({ bytes }: Manifest, digest: Digest): void {
  const actual = digestOf(bytes, algorithmOf(digest));
  if (actual !== digest) throw new DigestInvalid(`the manifest has the digest ${actual}, not ${digest}`);
}
