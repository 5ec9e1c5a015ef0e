import type { Deletions } from "../cache/deletions.ts";
import type { LimitPeers } from "../http/limits.ts";
import type { ConnectionPeers } from "../http/shared-connections.ts";
import type { Locks } from "../lib/locks.ts";
import type { UploadPeers } from "../registry/upload-memory.ts";

/** What a worker shares with the others of its registry beyond the storage, through their supervisor. */
export interface Peers {
  /** Of all workers. Those of one that dies are given on. @throws {Unavailable} where the supervisor is gone */
  readonly locks: Locks;
  readonly uploads: UploadPeers;
  readonly deletions: Deletions;
  readonly limits: LimitPeers & ConnectionPeers;
  /** Signs uploads where neither the operator nor the data folder has a key. */
  readonly secret: string;

  /**
   * Has one worker at a time do something, and another one when that ends.
   * @param begin called when it is this one's turn
   * @returns what ends it
   */
  whileOwner(name: string, begin: () => AsyncDisposable): AsyncDisposable;
}
