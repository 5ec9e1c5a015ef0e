/** Where the hash of an upload comes from: this process's memory, a state in the storage, or the bytes themselves. */
import { algorithmOf, type Digest, type DigestAlgorithm, encodedOf } from "../oci/digest.ts";
import type { RepositoryName } from "../oci/names.ts";
import { canStage, type FileInfo } from "../storage/driver.ts";
import type { RegistryContext } from "./context.ts";
import type { UploadOptions } from "./registry.ts";
import { type RunningHash, startHash } from "./running-hash.ts";
import { leftHash, readStoredHash } from "./stored-hash.ts";
import type { UploadId } from "./upload-id.ts";
import type { HashedSession } from "./upload-memory.ts";
import type { UploadState } from "./upload-state.ts";

/** Bytes read at once when an upload is read again. */
const READ_SIZE = 1024 * 1024;

/** A hash of what the session holds, to go on from; undefined where only reading it again would give one. */
export async function hashAt(
  context: RegistryContext,
  repository: RepositoryName,
  state: UploadState,
  { algorithm, last = false }: UploadOptions,
): Promise<RunningHash | undefined> {
  const remembered = recall(context, repository, state)?.hash;
  if (state.size === 0) {
    const known = algorithm ?? remembered?.algorithm;
    const wanted = known ?? (await announced(context, repository, state.id)) ?? "sha256";
    return canStage(context.driver) && !last ? context.hashing.start(wanted) : startHash(wanted);
  }
  if (remembered && (algorithm === undefined || remembered.algorithm === algorithm)) return remembered.goOn?.();
  return (await leftHash(context, repository, state, algorithm))?.goOn?.();
}

/**
 * The hash of the session's bytes with the algorithm of `digest`, without reading them where that can be.
 * The bytes are durable then.
 * @param settle called before anything but memory and what we left ourselves is believed, tells which bytes are to be read
 */
export async function hexOfData(
  context: RegistryContext,
  repository: RepositoryName,
  state: UploadState,
  digest: Digest,
  settle: () => Promise<FileInfo>,
): Promise<string> {
  const algorithm = algorithmOf(digest);
  const { hash: remembered, settled: settling } = recall(context, repository, state) ?? {};
  await settling;
  if (remembered?.algorithm === algorithm) {
    if (remembered.hex === encodedOf(digest) || !remembered.fromStorage) return remembered.hex;
  }
  const settled = canStage(context.driver) ? undefined : await settle();
  const elsewhere = settled && (await recallElsewhere(context, repository, state))?.hash;
  if (elsewhere?.algorithm === algorithm && elsewhere.hex === encodedOf(digest)) return elsewhere.hex;
  const left = await leftHash(context, repository, state, algorithm);
  if (left?.hex === encodedOf(digest)) return left.hex;
  const { version } = settled ?? (await settle());
  return await readAgain(context, repository, { ...state, version }, algorithm);
}

/** Valid only while nobody else wrote to the data since. */
function recall(context: RegistryContext, repository: RepositoryName, state: UploadState): HashedSession | undefined {
  return ifOf(state, context.uploadMemory.hashes.get(`${repository}/${state.id}`));
}

/** Likewise, of a session whose bytes another worker received, and may not have made durable yet. */
async function recallElsewhere(
  context: RegistryContext,
  repository: RepositoryName,
  state: UploadState,
): Promise<HashedSession | undefined> {
  return ifOf(state, await context.uploadMemory.findElsewhere(`${repository}/${state.id}`));
}

function ifOf(state: UploadState, session: HashedSession | undefined): HashedSession | undefined {
  if (session?.size !== state.size) return undefined;
  const isSame = session.modified === state.modified && session.version === state.version;
  return isSame || state.size === 0 ? session : undefined;
}

/** What the client told another process at the session's start. */
async function announced(
  context: RegistryContext,
  repository: RepositoryName,
  id: UploadId,
): Promise<DigestAlgorithm | undefined> {
  return canStage(context.driver) ? (await readStoredHash(context, repository, id))?.algorithm : undefined;
}

async function readAgain(
  context: RegistryContext,
  repository: RepositoryName,
  state: UploadState,
  algorithm: DigestAlgorithm,
): Promise<string> {
  const hash = startHash(algorithm);
  for await (const chunk of readData(context, repository, state, READ_SIZE)) hash.update(chunk);
  return hash.hex();
}

/**
 * The session's data from its start, in chunks that are valid until the next one.
 * @param size bytes of a chunk, at most
 * @throws {WriteConflict} where it has another version by now, or gets one
 */
export async function* readData(
  { driver, paths }: RegistryContext,
  repository: RepositoryName,
  { id, version }: Pick<UploadState, "id" | "version">,
  size: number,
): AsyncGenerator<Uint8Array, void, void> {
  const buffer = new Uint8Array(size);
  await using reader = await driver.reader(paths.uploadData(repository, id), 0, { version });
  for (let count = await reader.read(buffer); count > 0; count = await reader.read(buffer)) {
    yield buffer.subarray(0, count);
  }
}
