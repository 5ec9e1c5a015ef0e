import { LRUCache } from "lru-cache";
import type { Deletions } from "../cache/deletions.ts";
import { ChangeWatch } from "../lib/change-watch.ts";
import { KeyedLock } from "../lib/keyed-lock.ts";
import type { Locks } from "../lib/locks.ts";
import type { Digest } from "../oci/digest.ts";
import { StorageBusy } from "../storage/errors.ts";
import { BlobMemory } from "./blob-memory.ts";
import type { Hashing } from "./hashing.ts";
import { ManifestMemory } from "./manifest-memory.ts";
import { openHashing } from "./open-hashing.ts";
import { ReferrersMemory } from "./referrers-memory.ts";
import { UploadMemory, type UploadPeers } from "./upload-memory.ts";

/**
 * What a process knows of one storage, and who does what with it right now. Registries over the same storage may share it.
 * Disposal ends the hashes that run.
 */
export interface RegistryMemory extends AsyncDisposable {
  /**
   * Keeps a repository's references whole within this process, or all workers: pushing a manifest or tag holds the repository's name
   * shared, deleting a manifest or blob holds it exclusively.
   */
  readonly locks: Locks;

  /** Looks at what repositories hold, which a deletion may overtake. */
  readonly blobWatch: ChangeWatch;
  readonly revisionWatch: ChangeWatch;

  readonly uploadMemory: UploadMemory;
  /** For hashes that other processes go on with. */
  readonly hashing: Hashing;
  readonly referrersMemory: ReferrersMemory;
  readonly manifestMemory: ManifestMemory;
  readonly blobMemory: BlobMemory;

  /** Media types of manifests by digest, which never change, so that a manifest is not parsed to be served. */
  readonly mediaTypes: LRUCache<Digest, string>;
}

/** Requests that wait for others to be done with a repository or tag: far more only where the storage hangs. */
const LOCK_WAITERS = 1000;

const BROKEN_HASHING = "the thread that hashes uploads broke: those that ran will be read again at their end";

/** Other processes of the same registry, with which this one shares more than the storage. */
export interface RegistryPeers {
  readonly locks: Locks;
  readonly uploads: UploadPeers;
  readonly deletions: Deletions;
}

/** @param driver the name of the storage's driver */
export function openMemory(
  driver: string,
  warn: (message: string, fields: Readonly<Record<string, unknown>>) => void,
  peers?: RegistryPeers,
): RegistryMemory {
  const hashing = openHashing((reason) => warn(BROKEN_HASHING, { reason }));
  const watches = { blobWatch: new ChangeWatch(), revisionWatch: new ChangeWatch() };
  const heeding = peers?.deletions.heed(({ kind, repository, digest }) => {
    const watch = kind === "blob" ? watches.blobWatch : watches.revisionWatch;
    watch.changed(`${repository} ${digest}`);
  });
  return {
    ...watches,
    locks: peers?.locks ?? new KeyedLock({ limit: LOCK_WAITERS, toError: () => new StorageBusy(driver) }),
    uploadMemory: new UploadMemory(peers?.uploads),
    hashing,
    referrersMemory: new ReferrersMemory(),
    manifestMemory: new ManifestMemory(),
    blobMemory: new BlobMemory(),
    mediaTypes: new LRUCache({ max: 10_000 }),
    async [Symbol.asyncDispose]() {
      heeding?.[Symbol.dispose]();
      await hashing[Symbol.asyncDispose]();
    },
  };
}
