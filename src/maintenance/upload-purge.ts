/**
 * Removes upload sessions that nobody finished: those begun longer ago than `age`, and folders without a readable start,
 * which a peer's cancel leaves, by the newest time in them. Likewise, where the storage keeps such, what somebody began to write
 * and nobody finished: blobs in their own place, and the data of sessions that have nothing else any more, as a peer's purge
 * leaves it.
 *
 * @see storage-layout, section 7
 */
import type { RepositoryName } from "../oci/names.ts";
import { FolderWalk, storedName } from "../registry/catalog.ts";
import { absentIfNotFound } from "../registry/links.ts";
import { UPLOADS } from "../registry/paths.ts";
import type { Store } from "../registry/store.ts";
import { parseUploadId, type UploadId } from "../registry/upload-id.ts";
import { type Child, childrenOf } from "../storage/children.ts";
import { canWriteAtomically, type FileInfo } from "../storage/driver.ts";

export interface PurgeOptions {
  /** ms */
  readonly age: number;
  /** Finds without removing. */
  readonly dryRun: boolean;
  /** ms since 1970 */
  readonly now: number;
  readonly signal?: AbortSignal;
}

export interface PurgeReport {
  /** Sessions and unfinished objects removed, or found in a dry run. */
  readonly deleted: number;
  readonly errors: readonly unknown[];
}

/** What cannot be looked at or removed does not keep the others from it. */
export async function purgeUploads(store: Store, options: PurgeOptions): Promise<PurgeReport> {
  const found = new Set<string>();
  const sessions = await purgeSessions(store, options, found);
  const others = await purgeUnfinished(store, options, found);
  return { deleted: sessions.deleted + others.deleted, errors: [...sessions.errors, ...others.errors] };
}

/** @param found gets the folders of all sessions, also of those that stay */
async function purgeSessions(store: Store, options: PurgeOptions, found: Set<string>): Promise<PurgeReport> {
  let deleted = 0;
  const errors: unknown[] = [];
  for await (const session of listSessions(store, options.signal)) {
    const path = store.paths.upload(session.repository, session.id);
    found.add(path);
    try {
      const started = await startOf(store, session);
      if (started === undefined || started >= options.now - options.age) continue;
      if (!options.dryRun) await absentIfNotFound(store.driver.delete(path, { durable: false }));
      deleted += 1;
    } catch (error) {
      errors.push(error);
    }
  }
  return { deleted, errors };
}

/** @param sessions the folders of those that tell their own age */
async function purgeUnfinished(
  { driver, paths }: Store,
  options: PurgeOptions,
  sessions: ReadonlySet<string>,
): Promise<PurgeReport> {
  let deleted = 0;
  const errors: unknown[] = [];
  if (!canWriteAtomically(driver)) return { deleted, errors };
  for (const unfinished of await driver.listUnfinished(paths.root)) {
    options.signal?.throwIfAborted();
    if (!isBelow(unfinished.path, paths.blobs) && !isOfLostSession(unfinished.path, paths, sessions)) continue;
    if ((unfinished.begun ?? options.now) >= options.now - options.age) continue;
    try {
      if (!options.dryRun) await driver.removeUnfinished(unfinished);
      deleted += 1;
    } catch (error) {
      errors.push(error);
    }
  }
  return { deleted, errors };
}

function isOfLostSession(path: string, paths: Store["paths"], sessions: ReadonlySet<string>): boolean {
  const [session, id = ""] = new RegExp(`^.+/${UPLOADS}/([^/]+)(?=/)`).exec(path) ?? [];
  if (session === undefined || parseUploadId(id) === undefined) return false;
  return isBelow(session, paths.repositories) && !sessions.has(session);
}

function isBelow(path: string, folder: string): boolean {
  return path.startsWith(`${folder}/`);
}

interface Session {
  readonly repository: RepositoryName;
  readonly id: UploadId;
  /** Its folder, as the listing has it. */
  readonly folder: Child;
}

/** Also of repositories that hold nothing but sessions. */
async function* listSessions(store: Store, signal?: AbortSignal): AsyncGenerator<Session, void, void> {
  const walk = new FolderWalk(store);
  for (let found = await walk.next(); found; found = await walk.next()) {
    signal?.throwIfAborted();
    const repository = storedName(found.name);
    if (repository === undefined || !found.children.some(({ name }) => name === UPLOADS)) continue;
    for (const folder of await childrenOf(store.driver, `${store.paths.repository(repository)}/${UPLOADS}`)) {
      const id = parseUploadId(folder.name);
      if (id !== undefined) yield { repository, id, folder };
    }
  }
}

/** @returns ms since 1970, or undefined where nothing tells */
async function startOf(store: Store, { repository, id, folder }: Session): Promise<number | undefined> {
  const content = await absentIfNotFound(store.driver.getContent(store.paths.uploadStarted(repository, id)));
  const started = Date.parse(
    Buffer.from(content ?? [])
      .toString("latin1")
      .trim(),
  );
  return Number.isNaN(started) ? await newestTime(store, store.paths.upload(repository, id), folder.info) : started;
}

/** @param listed what a listing has told of it */
async function newestTime(store: Store, path: string, listed?: FileInfo): Promise<number | undefined> {
  const info = listed ?? (await absentIfNotFound(store.driver.stat(path)));
  if (!info?.isDirectory) return info?.modified;
  const children = await childrenOf(store.driver, path);
  const times = await Promise.all(children.map((child) => newestTime(store, `${path}/${child.name}`, child.info)));
  const known = [info.modified, ...times].filter((time) => time !== undefined);
  return known.length > 0 ? Math.max(...known) : undefined;
}
