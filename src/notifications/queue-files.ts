/**
 * The queue's files in the data folder:
 *
 *     notifications.db     the events that wait (with -wal and -shm while it is open)
 *     notifications.lock   held by the process that delivers
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DeliveryLock } from "./delivery-lock.ts";
import { EventStore } from "./event-store.ts";

export const QUEUE_FILE = "notifications.db";

export interface OpenQueue {
  readonly store: EventStore;
  /** Not there where no other process can see the store. */
  readonly lock: DeliveryLock | undefined;
}

/** Bytes of a queue that is kept in memory, at most. */
const MEMORY_LIMIT = 64 * 1024 * 1024;

/** @param complain told where the folder cannot be used, and the queue is in memory instead */
export function openQueueFiles(
  folder: string | undefined,
  limit: number,
  now: () => number,
  complain: (message: string) => void,
): OpenQueue {
  if (folder === undefined) return inMemory(limit, now);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const store = new EventStore({ path: join(folder, QUEUE_FILE), limit, now });
    return { store, lock: new DeliveryLock(join(folder, "notifications.lock")) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    complain(`notifications cannot be kept in ${join(folder, QUEUE_FILE)} and would be lost at a restart: ${reason}`);
    return inMemory(limit, now);
  }
}

function inMemory(limit: number, now: () => number): OpenQueue {
  return { store: new EventStore({ path: ":memory:", limit: Math.min(limit, MEMORY_LIMIT), now }), lock: undefined };
}
