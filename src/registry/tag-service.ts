import { knownListing } from "../lib/known-listing.ts";
import type { Digest } from "../oci/digest.ts";
import { ManifestUnknown, NameUnknown } from "../oci/errors.ts";
import { isTag, type RepositoryName, type Tag } from "../oci/names.ts";
import { canStamp } from "../storage/driver.ts";
import { type RegistryContext, requireDeletion } from "./context.ts";
import { absentIfNotFound, readLink, writeLink } from "./links.ts";
import { LOOK_AHEAD } from "./look-ahead.ts";
import { REPOSITORY_MARKERS } from "./paths.ts";
import type { ListOptions, TagService } from "./registry.ts";
import { unknownRevision } from "./revision.ts";

/**
 * Tags that are looked at for all who list them meanwhile, on a disk. Of more, and where each is a request, those of a page are:
 * 200 clients that list 500 tags that nobody knows yet would look 100,000 times.
 */
const JOINT = 2000;

export class StoredTagService implements TagService {
  readonly #context: RegistryContext;
  readonly #repository: RepositoryName;

  constructor(context: RegistryContext, repository: RepositoryName) {
    this.#context = context;
    this.#repository = repository;
  }

  async resolve(tag: Tag): Promise<Digest> {
    const digest = await this.#current(tag);
    if (digest === undefined) throw unknownTag(tag);
    return digest;
  }

  async has(tag: Tag): Promise<boolean> {
    return (await this.#current(tag)) !== undefined;
  }

  list(options: ListOptions<Tag> = {}): AsyncIterable<Tag> {
    const known = this.#context.tagLists.get(this.#repository);
    return known ? knownListing(known, options.after) : this.#look(options);
  }

  /** All of them, in order. */
  async all(): Promise<readonly Tag[]> {
    return await Array.fromAsync(this.#walk({}));
  }

  async *#look(options: ListOptions<Tag>): AsyncGenerator<Tag, void, void> {
    if (canStamp(this.#context.driver) && (await this.#names()).length <= JOINT)
      yield* knownListing(await this.#context.tagLooks.do(this.#repository), options.after).known;
    else yield* this.#walk(options);
  }

  async *#walk({ after, signal }: ListOptions<Tag>): AsyncGenerator<Tag, void, void> {
    const remember = after === undefined ? this.#context.tagLists.begin(this.#repository) : undefined;
    const names = (await this.#names()).filter((name) => after === undefined || name > after).sort();
    let missing = 0;
    for (let i = 0; i < names.length; i += LOOK_AHEAD) {
      signal?.throwIfAborted();
      const some = names.slice(i, i + LOOK_AHEAD);
      const links = await this.#context.lookAhead.at(some, (tag) => this.#exists(tag));
      const tags = some.filter((_, index) => links[index]);
      missing += some.length - tags.length;
      yield* tags;
    }
    if (missing === 0) remember?.(names);
  }

  async set(tag: Tag, digest: Digest, condition?: (current: Digest | undefined) => void): Promise<void> {
    const { driver } = this.#context;
    await this.#changing(tag, async () => {
      condition?.(await this.#current(tag));
      await this.#requireRevision(digest);
      await writeLink(driver, this.#context.paths.tagIndex(this.#repository, tag, digest), digest);
      await writeLink(driver, this.#context.paths.tagCurrent(this.#repository, tag), digest);
      await this.#keepOnRevision(tag, digest);
    });
  }

  async delete(tag: Tag): Promise<void> {
    requireDeletion(this.#context);
    await this.#changing(tag, async () => {
      if (!(await this.#exists(tag))) throw unknownTag(tag); // one that points at nothing can be deleted too
      await deleteTag(this.#context, this.#repository, tag);
    });
  }

  #changing(tag: Tag, work: () => Promise<void>): Promise<void> {
    const { locks } = this.#context;
    return locks.shared(this.#repository, () => locks.exclusive(`${this.#repository}:${tag}`, work));
  }

  #current(tag: Tag): Promise<Digest | undefined> {
    return readLink(this.#context.driver, this.#context.paths.tagCurrent(this.#repository, tag));
  }

  /** A deletion that was cut short leaves a folder without a current link, and a peer's crash an empty one. */
  async #exists(tag: Tag): Promise<boolean> {
    const info = await absentIfNotFound(
      this.#context.driver.stat(this.#context.paths.tagCurrent(this.#repository, tag)),
    );
    return info !== undefined && info.size > 0;
  }

  async #names(): Promise<Tag[]> {
    const names = await absentIfNotFound(this.#context.driver.list(this.#context.paths.tags(this.#repository)));
    if (names === undefined) await this.#requireRepository();
    return (names ?? []).filter(isTag);
  }

  async #requireRepository(): Promise<void> {
    const { driver, paths } = this.#context;
    const children = (await absentIfNotFound(driver.list(paths.repository(this.#repository)))) ?? [];
    if (!children.some((child) => REPOSITORY_MARKERS.includes(child))) throw new NameUnknown(this.#repository);
  }

  /** Another process may have deleted the manifest meanwhile: it looks for tags once more, we for the manifest. */
  async #keepOnRevision(tag: Tag, digest: Digest): Promise<void> {
    try {
      await this.#requireRevision(digest);
    } catch (error) {
      if (error instanceof ManifestUnknown) await deleteTag(this.#context, this.#repository, tag, { ifAt: digest });
      throw error;
    }
  }

  /** The manifest may have been deleted since it was stored; a tag must not point at nothing. */
  async #requireRevision(digest: Digest): Promise<void> {
    const link = await readLink(this.#context.driver, this.#context.paths.revisionLink(this.#repository, digest));
    if (link === undefined) throw unknownRevision(this.#repository, digest);
  }
}

export interface TagDeletion {
  /** Only where the tag still points there: another process may have set it anew. */
  readonly ifAt?: Digest;
  /** `false` where another deletion in the same folder follows that is. */
  readonly durable?: boolean;
}

/** Takes a tag away, with its history. The caller holds the locks, which bind this process alone. */
export async function deleteTag(
  { driver, paths }: RegistryContext,
  repository: RepositoryName,
  tag: Tag,
  { ifAt, durable = true }: TagDeletion = {},
): Promise<void> {
  if (ifAt !== undefined && (await readLink(driver, paths.tagCurrent(repository, tag))) !== ifAt) return;
  await absentIfNotFound(driver.delete(paths.tag(repository, tag), { durable }));
}

function unknownTag(tag: Tag): ManifestUnknown {
  return new ManifestUnknown(`unknown tag=${tag}`);
}
