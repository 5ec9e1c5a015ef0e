/**
 * Which manifests name another one as their subject: a table of one file a referrer (paths.ts), which holds the referrer's
 * descriptor.
 *
 * The manifests are the truth. An entry is written before its manifest is linked and stays when the manifest is deleted: it
 * says what the manifest with that digest says, which never changes, and counts only while the manifest is linked. What a
 * program that knows nothing of the table has pushed is found by comparing the repository's revisions with those seen.
 *
 * @see http-api, section 10
 */
import { mapConcurrent } from "../lib/concurrency.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, isDigest } from "../oci/digest.ts";
import { ManifestInvalid, Unknown } from "../oci/errors.ts";
import type { Manifest } from "../oci/manifest.ts";
import type { RepositoryName } from "../oci/names.ts";
import { StorageError } from "../storage/errors.ts";
import { ALGORITHMS, type RegistryContext } from "./context.ts";
import { listDigests } from "./digest-folders.ts";
import { absentIfNotFound } from "./links.ts";
import { newTableState, type TableState } from "./referrers-memory.ts";
import { readRevision } from "./revision.ts";

/** Manifests read at once. */
const CONCURRENCY = 16;

/** A folder that changed so shortly ago may change again without showing another time. ms */
const SETTLED = 50;

/** Newly seen revisions that are worth writing the list of the seen ones anew. */
const WORTH_SAVING = 64;

/** Referrers of a subject by digest, as the table has them; those no longer linked included. */
export async function tableEntries(
  context: RegistryContext,
  repository: RepositoryName,
  subject: Digest,
): Promise<Digest[]> {
  await reconcile(context, repository);
  const written = await listDigests(
    context,
    (algorithm) => `${context.paths.referrers(repository, subject)}/${algorithm}`,
  );
  const unwritten = context.referrersMemory.get(repository)?.unwritten.get(subject)?.keys() ?? [];
  return [...new Set([...written, ...unwritten])].sort();
}

/** What the table says of a referrer. An entry that cannot be read is made anew from the manifest. */
export async function tableEntry(
  context: RegistryContext,
  repository: RepositoryName,
  subject: Digest,
  referrer: Digest,
): Promise<Descriptor | undefined> {
  const unwritten = context.referrersMemory.get(repository)?.unwritten.get(subject)?.get(referrer);
  if (unwritten) return unwritten;
  const bytes = await absentIfNotFound(
    context.driver.getContent(context.paths.referrer(repository, subject, referrer)),
  );
  return (bytes && parseEntry(bytes, referrer)) ?? (await learn(context, repository, referrer)).entry;
}

/** To be called before a manifest's revision is linked. Writes nothing for a manifest without a subject. */
export async function recordReferrer(
  context: RegistryContext,
  repository: RepositoryName,
  manifest: Manifest,
  digest: Digest,
): Promise<void> {
  if (manifest.subject) {
    const entry = Buffer.from(JSON.stringify(toEntry(manifest, digest)));
    await context.driver.putContent(context.paths.referrer(repository, manifest.subject.digest, digest), entry);
  }
  const state = context.referrersMemory.get(repository);
  if (state) remember(context, repository, state, digest);
}

/** Brings into the table what was pushed without it. Of several callers one does the work. */
function reconcile(context: RegistryContext, repository: RepositoryName): Promise<void> {
  return context.locks.exclusive(`${repository} referrers`, async () => {
    const state = context.referrersMemory.get(repository) ?? (await loadState(context, repository));
    const times = state.timeless ? undefined : await folderTimes(context, repository, state);
    if (times !== undefined && times === state.times) return;
    context.referrersMemory.set(repository, state);
    const revisions = await listDigests(context, (algorithm) => context.paths.revisions(repository, algorithm));
    const unseen = revisions.filter((digest) => !state.seen.has(digest));
    const read = await mapConcurrent(
      unseen,
      CONCURRENCY,
      async (digest) => (await learn(context, repository, digest)).read,
    );
    const unread = unseen.filter((_, index) => !read[index]);
    state.times = unread.join() === state.unread.join() ? times : undefined; // the times are of those known before
    state.unread = unread;
    context.referrersMemory.set(repository, state);
    await saveState(context, repository, state);
  });
}

/** Reads a manifest and enters it. A damaged one, or one whose link is gone, is left for the next time. */
async function learn(
  context: RegistryContext,
  repository: RepositoryName,
  digest: Digest,
): Promise<{ readonly read: boolean; readonly entry?: Descriptor | undefined }> {
  try {
    const bytes = await readRevision(context, repository, digest);
    if (bytes === undefined) return { read: false };
    const manifest = context.kinds.read(bytes);
    await enter(context, repository, manifest, digest);
    return { read: true, entry: manifest.subject && toEntry(manifest, digest) };
  } catch (error) {
    if (error instanceof ManifestInvalid || error instanceof Unknown) return { read: false };
    throw error;
  }
}

/** A storage that takes no writes must not keep referrers from being listed: such entries stay in memory. */
async function enter(
  context: RegistryContext,
  repository: RepositoryName,
  manifest: Manifest,
  digest: Digest,
): Promise<void> {
  try {
    if (context.options.readOnly && manifest.subject) throw new StorageError(context.driver.name, "read-only");
    await recordReferrer(context, repository, manifest, digest);
  } catch (error) {
    const subject = manifest.subject?.digest;
    if (!(error instanceof StorageError) || !subject) throw error;
    const { unwritten } = context.referrersMemory.get(repository) ?? newTableState([]);
    unwritten.set(subject, (unwritten.get(subject) ?? new Map()).set(digest, toEntry(manifest, digest)));
  }
}

/** What a referrers list shows of a manifest. */
function toEntry(manifest: Manifest, digest: Digest): Descriptor {
  const { mediaType, bytes, artifactType, annotations } = manifest;
  return {
    mediaType,
    digest,
    size: bytes.length,
    ...(artifactType && { artifactType }),
    ...(annotations && { annotations }),
  };
}

function parseEntry(bytes: Uint8Array, digest: Digest): Descriptor | undefined {
  try {
    const entry = JSON.parse(Buffer.from(bytes).toString()) as Descriptor;
    return entry.digest === digest && typeof entry.size === "number" ? entry : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Times that change with what is pushed. Of a revision its link's: a peer may make it empty, and fill it in place later.
 * @returns undefined where they say nothing: there are none, or they are too fresh
 */
async function folderTimes(
  context: RegistryContext,
  repository: RepositoryName,
  state: TableState,
): Promise<string | undefined> {
  const settledBefore = Date.now() - SETTLED;
  const links = [
    ...ALGORITHMS.map((algorithm) => context.paths.revisions(repository, algorithm)),
    ...state.unread.map((digest) => context.paths.revisionLink(repository, digest)),
  ];
  const infos = await mapConcurrent(links, CONCURRENCY, (path) => absentIfNotFound(context.driver.stat(path)));
  state.timeless = infos.some((info) => info?.isDirectory && info.modified === undefined);
  const telling = infos.every((info) => !info || (info.modified !== undefined && info.modified < settledBefore));
  return telling ? infos.map((info) => info?.modified ?? "-").join(" ") : undefined;
}

function remember(context: RegistryContext, repository: RepositoryName, state: TableState, digest: Digest): void {
  state.seen.add(digest);
  context.referrersMemory.set(repository, state);
}

async function loadState({ driver, paths }: RegistryContext, repository: RepositoryName): Promise<TableState> {
  const bytes = await absentIfNotFound(driver.getContent(paths.referrersSeen(repository)));
  const lines = bytes ? Buffer.from(bytes).toString("latin1").split("\n") : [];
  return newTableState(lines.filter(isDigest));
}

async function saveState(context: RegistryContext, repository: RepositoryName, state: TableState): Promise<void> {
  if (context.options.readOnly || state.seen.size - state.saved < WORTH_SAVING) return;
  const lines = Buffer.from([...state.seen].join("\n"), "latin1");
  try {
    await context.driver.putContent(context.paths.referrersSeen(repository), lines);
    state.saved = state.seen.size;
  } catch (error) {
    if (!(error instanceof StorageError)) throw error; // the list only saves reading at the next start
  }
}
