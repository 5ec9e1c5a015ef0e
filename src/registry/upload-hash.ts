/** Where the hash of an upload comes from: this process's memory, a state that a peer left, or the bytes themselves. */
import { algorithmOf, type Digest, type DigestAlgorithm, encodedOf } from "../oci/digest.ts";
import type { RepositoryName } from "../oci/names.ts";
import type { RegistryContext } from "./context.ts";
import { resumeHash } from "./hash-state.ts";
import { absentIfNotFound } from "./links.ts";
import { type RunningHash, startHash } from "./running-hash.ts";
import type { UploadId } from "./upload-id.ts";
import type { UploadState } from "./upload-state.ts";

/** Bytes read at once when an upload is read again. */
const READ_SIZE = 1024 * 1024;

/**
 * A hash of what the session holds, to go on from; undefined where only reading it again would give one.
 * @param algorithm what the digest will be, where known
 */
export async function hashAt(
  context: RegistryContext,
  repository: RepositoryName,
  state: UploadState,
  algorithm?: DigestAlgorithm,
): Promise<RunningHash | undefined> {
  const remembered = recall(context, repository, state);
  if (remembered && (algorithm === undefined || remembered.algorithm === algorithm)) return remembered;
  const wanted = algorithm ?? "sha256";
  return state.size === 0 ? startHash(wanted) : await leftByPeer(context, repository, state, wanted);
}

/**
 * The hash of the session's bytes with the algorithm of `digest`, from memory where this process received them all.
 * @param beforeReading called where the bytes came from another process
 */
export async function hexOfData(
  context: RegistryContext,
  repository: RepositoryName,
  state: UploadState,
  digest: Digest,
  beforeReading: () => Promise<void>,
): Promise<string> {
  const algorithm = algorithmOf(digest);
  const remembered = recall(context, repository, state);
  if (remembered?.algorithm === algorithm) {
    const hex = remembered.hex();
    if (hex === encodedOf(digest) || !remembered.fromPeer) return hex;
  }
  await beforeReading();
  const left = (await leftByPeer(context, repository, state, algorithm))?.hex();
  return left === encodedOf(digest) ? left : await readAgain(context, repository, state, algorithm);
}

/** Valid only while nobody else wrote to the data since. */
function recall(context: RegistryContext, repository: RepositoryName, state: UploadState): RunningHash | undefined {
  const session = context.uploadMemory.hashes.get(`${repository}/${state.id}`);
  if (session?.size !== state.size) return undefined;
  const isSame = session.modified === state.modified && session.version === state.version;
  return isSame || state.size === 0 ? session.hash : undefined;
}

async function leftByPeer(
  { driver, paths }: RegistryContext,
  repository: RepositoryName,
  { id, size }: UploadState,
  algorithm: DigestAlgorithm,
): Promise<RunningHash | undefined> {
  const bytes = await absentIfNotFound(driver.getContent(paths.hashState(repository, id, algorithm, size)));
  const hash = bytes && (await resumeHash(algorithm, bytes));
  if (hash?.length !== size) return undefined;
  return { algorithm, fromPeer: true, update: (chunk) => hash.update(chunk), hex: () => hash.digest() };
}

async function readAgain(
  context: RegistryContext,
  repository: RepositoryName,
  { id }: UploadState,
  algorithm: DigestAlgorithm,
): Promise<string> {
  const hash = startHash(algorithm);
  for await (const chunk of readData(context, repository, id, READ_SIZE)) hash.update(chunk);
  return hash.hex();
}

/**
 * The session's data from its start, in chunks that are valid until the next one.
 * @param size bytes of a chunk, at most
 */
export async function* readData(
  { driver, paths }: RegistryContext,
  repository: RepositoryName,
  id: UploadId,
  size: number,
): AsyncGenerator<Uint8Array, void, void> {
  const buffer = new Uint8Array(size);
  await using reader = await driver.reader(paths.uploadData(repository, id));
  for (let count = await reader.read(buffer); count > 0; count = await reader.read(buffer)) {
    yield buffer.subarray(0, count);
  }
}
