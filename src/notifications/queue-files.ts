/**
 * The queue's files in the data folder:
 *
 *     notifications.db     the events that wait (with -wal and -shm while it is open)
 *     notifications.lock   held by the process that delivers
 *     notifications.db.damaged-2026-11-21T02:50:40.123Z    one that could not be read at a start, for people to look at
 */
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { DeliveryLock } from "./delivery-lock.ts";
import { DamagedFile, EventStore, type StoreOptions } from "./event-store.ts";

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
    using locks = new DisposableStack();
    const lock = locks.use(new DeliveryLock(join(folder, "notifications.lock")));
    const store = openSound({ path: join(folder, QUEUE_FILE), limit, now }, lock, complain);
    locks.move();
    return { store, lock };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    complain(`notifications cannot be kept in ${join(folder, QUEUE_FILE)} and would be lost at a restart: ${reason}`);
    return inMemory(limit, now);
  }
}

/** Whoever delivers checks the file, and begins a new one where it is damaged: new events matter more than its remains. */
function openSound(options: StoreOptions, lock: DeliveryLock, complain: (message: string) => void): EventStore {
  const isMine = lock.take();
  try {
    const store = new EventStore(options);
    if (isMine) checkOrClose(store);
    return store;
  } catch (error) {
    if (!isMine || !(error instanceof DamagedFile)) throw error;
    const aside = setAside(options);
    complain(`${options.path} is damaged (${error.message}): it is now ${aside}, and what waited in it is not sent`);
    return new EventStore(options);
  }
}

function checkOrClose(store: EventStore): void {
  try {
    store.check();
  } catch (error) {
    store[Symbol.dispose]();
    throw error;
  }
}

/** The log of changes goes first: a new file must not find the old one's. @returns its new path */
function setAside({ path, now }: StoreOptions): string {
  const aside = `${path}.damaged-${new Date(now()).toISOString()}`;
  for (const end of ["-wal", "-shm", ""]) if (existsSync(path + end)) renameSync(path + end, aside + end);
  return aside;
}

function inMemory(limit: number, now: () => number): OpenQueue {
  return { store: new EventStore({ path: ":memory:", limit: Math.min(limit, MEMORY_LIMIT), now }), lock: undefined };
}
