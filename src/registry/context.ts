import type { JointWork } from "../lib/joint-work.ts";
import type { BlobDigest } from "../oci/blob-digest.ts";
import type { DigestAlgorithm } from "../oci/digest.ts";
import { Unsupported } from "../oci/errors.ts";
import type { ManifestKinds } from "../oci/manifest-kinds.ts";
import type { RepositoryName, Tag } from "../oci/names.ts";
import type { BlobLinks } from "./blob-links.ts";
import type { LookAhead } from "./look-ahead.ts";
import type { ReferenceRules } from "./reference-rules.ts";
import type { RegistryMemory } from "./registry-memory.ts";
import type { RevisionLinks } from "./revision-links.ts";
import type { Store } from "./store.ts";
import type { TagLists } from "./tag-lists.ts";

/** What all services of one registry share. */
export interface RegistryContext extends Store, Omit<RegistryMemory, typeof Symbol.asyncDispose> {
  readonly options: RegistryOptions;
  readonly kinds: ManifestKinds;

  readonly blobs: BlobLinks;
  readonly revisions: RevisionLinks;
  readonly tagLists: TagLists;
  readonly lookAhead: LookAhead;
  /** All tags of a repository, in order: one look at each serves all who ask for them meanwhile. */
  readonly tagLooks: JointWork<RepositoryName, readonly Tag[]>;

  /** A repository that links `digest` to bytes that are there, as far as one is found quickly among those that may be. */
  findHolder(digest: BlobDigest, mayBe: (name: RepositoryName) => boolean): Promise<RepositoryName | undefined>;

  /** Something that an operator should know and no client has to. */
  readonly warn: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

export interface RegistryOptions {
  readonly deletion: boolean;
  /** Nothing is written on our own account either. */
  readonly readOnly: boolean;
  /** Whether clients may be sent to the storage for blobs, where the driver can. */
  readonly redirect: boolean;
  readonly references: ReferenceRules;
  /** Whether images are converted for clients that take schema 1 alone. */
  readonly schema1: boolean;
  /** Everybody who writes to the storage tells the cache, so a manifest's references may be looked up there. */
  readonly exclusive: boolean;
  /** Tags looked up at once when a manifest is deleted. */
  readonly tagConcurrency: number;
}

/** Algorithms a repository's links are looked for under. */
export const ALGORITHMS: readonly DigestAlgorithm[] = ["sha256", "sha384", "sha512"];

/** @throws {Unsupported} */
export function requireDeletion(context: RegistryContext): void {
  if (!context.options.deletion) throw new Unsupported("deletion is switched off: set storage.delete.enabled to true");
}
