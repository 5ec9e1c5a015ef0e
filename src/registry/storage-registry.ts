import { LRUCache } from "lru-cache";
import type { DescriptorCache } from "../cache/descriptor-cache.ts";
import { EndingCache } from "../cache/ending.ts";
import { NO_CACHE } from "../cache/without.ts";
import { JointWork } from "../lib/joint-work.ts";
import { type BlobDigest, isTarsumDigest } from "../oci/blob-digest.ts";
import { RegistryClosed } from "../oci/errors.ts";
import type { ManifestKinds } from "../oci/manifest-kinds.ts";
import { MediaType } from "../oci/media-types.ts";
import type { RepositoryName } from "../oci/names.ts";
import { ClosingDriver } from "../storage/closing.ts";
import type { StorageDriver } from "../storage/driver.ts";
import { rememberingDriver } from "../storage/remembering.ts";
import { BlobLinks } from "./blob-links.ts";
import { StoredBlobService } from "./blob-service.ts";
import { listRepositories } from "./catalog.ts";
import type { RegistryContext, RegistryOptions } from "./context.ts";
import { absentIfNotFound } from "./links.ts";
import { LookAhead } from "./look-ahead.ts";
import { StoredManifestService } from "./manifest-service.ts";
import { StoredReferrersService } from "./referrers-service.ts";
import type { ListOptions, Registry, Repository } from "./registry.ts";
import { openMemory, type RegistryMemory } from "./registry-memory.ts";
import { RevisionLinks } from "./revision-links.ts";
import { StoredSchema1Conversion } from "./schema1-conversion.ts";
import { StoredSignatureService } from "./signature-service.ts";
import type { Store } from "./store.ts";
import { TagLists } from "./tag-lists.ts";
import { StoredTagService } from "./tag-service.ts";
import { StoredUploadService } from "./upload-service.ts";

/** How far a mount without a source looks for one. */
const HOLDER_REPOSITORIES = 200;
const HOLDER_TIME = 50; // ms

/** How long the same warning is not repeated, so that no client can fill the log. ms */
const REPEAT_AFTER = 60_000;

/** A registry whose only truth is what lies in `store`. Disposal disposes of its driver and its cache. */
export class StorageRegistry implements Registry {
  readonly kinds: ManifestKinds;
  readonly #context: RegistryContext;
  readonly #cache: EndingCache;
  readonly #ownMemory: RegistryMemory | undefined;

  /** @param memory stays its owner's; by default one of its own */
  constructor(
    { driver, paths }: Store,
    kinds: ManifestKinds,
    options: RegistryOptions,
    warn: RegistryContext["warn"],
    cache: DescriptorCache = NO_CACHE,
    memory?: RegistryMemory,
  ) {
    const known = memory ?? openMemory(driver.name, warn);
    this.#ownMemory = memory ? undefined : known;
    const store = { driver: new ClosingDriver(remembering({ driver, paths }), () => new RegistryClosed()), paths };
    this.kinds = kinds;
    this.#cache = new EndingCache(cache);
    this.#context = {
      ...store,
      ...known,
      blobs: new BlobLinks(store, this.#cache.blobs, known.blobWatch),
      revisions: new RevisionLinks(store, this.#cache.revisions, known.revisionWatch),
      tagLists: new TagLists(store),
      lookAhead: new LookAhead(),
      tagLooks: new JointWork((name: RepositoryName) => new StoredTagService(this.#context, name).all()),
      options,
      kinds,
      warn: onceInAWhile(warn),
      findHolder: (digest, mayBe) => this.#findHolder(digest, mayBe),
    };
  }

  repository(name: RepositoryName): Repository {
    const context = this.#context;
    const signing = context.options.schema1 ? this.kinds.signingOf(MediaType.dockerSchema1Signed) : undefined;
    return {
      name,
      blobs: new StoredBlobService(context, name),
      uploads: new StoredUploadService(context, name),
      manifests: new StoredManifestService(context, name),
      tags: new StoredTagService(context, name),
      referrers: new StoredReferrersService(context, name),
      signatures: new StoredSignatureService(context, name),
      ...(signing && { schema1: new StoredSchema1Conversion(context, name, signing) }),
    };
  }

  repositories(options: ListOptions<RepositoryName> = {}): AsyncIterable<RepositoryName> {
    return listRepositories(this.#context, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#cache.end();
    await using _last = this.#cache;
    await using _memory = this.#ownMemory;
    await this.#context.driver[Symbol.asyncDispose]();
  }

  async #findHolder(digest: BlobDigest, mayBe: (name: RepositoryName) => boolean): Promise<RepositoryName | undefined> {
    if (!(await this.#mayHaveBytes(digest))) return undefined;
    const deadline = performance.now() + HOLDER_TIME;
    let looked = 0;
    for await (const repository of this.repositories()) {
      if (mayBe(repository) && (await this.#context.blobs.findStored(repository, digest))) return repository;
      looked += 1;
      if (looked === HOLDER_REPOSITORIES || performance.now() > deadline) return undefined;
    }
    return undefined;
  }

  /** A tarsum says nothing of where its bytes lie. */
  async #mayHaveBytes(digest: BlobDigest): Promise<boolean> {
    const { driver, paths } = this.#context;
    return isTarsumDigest(digest) || (await absentIfNotFound(driver.stat(paths.blob(digest)))) !== undefined;
  }
}

/** Links and sizes of blobs, which every pull asks for, and the folders that the catalogue goes through. */
function remembering({ driver, paths }: Store): StorageDriver {
  const { repositories } = paths;
  const blobs = `${paths.blobs}/`;
  return rememberingDriver(driver, {
    contents: (path) => path.endsWith("/link"),
    stats: (path) => path.startsWith(blobs),
    listings: (path) => path.startsWith(repositories) && !path.includes("/_", repositories.length),
  });
}

function onceInAWhile(warn: RegistryContext["warn"]): RegistryContext["warn"] {
  const said = new LRUCache<string, true>({ max: 1000, ttl: REPEAT_AFTER });
  return (message, fields) => {
    const { reason: _, ...about } = fields; // which may name whatever a client asks for
    const key = `${message} ${JSON.stringify(about)}`;
    if (said.has(key)) return;
    said.set(key, true);
    warn(message, fields);
  };
}
