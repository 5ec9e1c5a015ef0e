import { LRUCache } from "lru-cache";
import { KeyedLock } from "../lib/keyed-lock.ts";
import type { Digest } from "../oci/digest.ts";
import { StorageBusy } from "../storage/errors.ts";
import { BlobMemory } from "./blob-memory.ts";
import type { Hashing } from "./hashing.ts";
import { ManifestMemory } from "./manifest-memory.ts";
import { openHashing } from "./open-hashing.ts";
import { ReferrersMemory } from "./referrers-memory.ts";
import { UploadMemory } from "./upload-memory.ts";

/**
 * What a process knows of one storage, and who does what with it right now. Registries over the same storage may share it.
 * Disposal ends the hashes that run.
 */
export interface RegistryMemory extends AsyncDisposable {
  /**
   * Keeps a repository's references whole within this process: pushing a manifest or tag holds the repository's name
   * shared, deleting a manifest or blob holds it exclusively.
   */
  readonly locks: KeyedLock;

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

/** @param driver the name of the storage's driver */
export function openMemory(
  driver: string,
  warn: (message: string, fields: Readonly<Record<string, unknown>>) => void,
): RegistryMemory {
  const hashing = openHashing((reason) => warn(BROKEN_HASHING, { reason }));
  return {
    locks: new KeyedLock({ limit: LOCK_WAITERS, toError: () => new StorageBusy(driver) }),
    uploadMemory: new UploadMemory(),
    hashing,
    referrersMemory: new ReferrersMemory(),
    manifestMemory: new ManifestMemory(),
    blobMemory: new BlobMemory(),
    mediaTypes: new LRUCache({ max: 10_000 }),
    [Symbol.asyncDispose]: () => hashing[Symbol.asyncDispose](),
  };
}
