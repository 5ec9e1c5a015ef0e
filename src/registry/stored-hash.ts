/**
 * The hash of a session in the storage, for the process that goes on with it.
 *
 * On a store where two writers may replace each other's bytes (`canStage`), a state is worth something only with the version of
 * the bytes it is of. Ours lies in one object a session, and nothing else is believed there:
 *
 *     sha256 <FileInfo.version>                               a line of text, ended by 0x0a; without a version: no byte yet
 *     <hash state>                                            in Go's form, see hash-state.ts
 *
 * or the value alone, with which a session can be ended but not gone on with:
 *
 *     sha256:<hex> <FileInfo.version>                         a line of text, ended by 0x0a
 *
 * A state lies beside it as well, where the peers look for it. On other stores theirs are read, and we leave none.
 */
import { type DigestAlgorithm, isDigestAlgorithm } from "../oci/digest.ts";
import type { RepositoryName } from "../oci/names.ts";
import { canStage, type FileInfo } from "../storage/driver.ts";
import type { RegistryContext } from "./context.ts";
import { createResumableHash, resumeHash } from "./hash-state.ts";
import { toResting } from "./hashing.ts";
import { absentIfNotFound } from "./links.ts";
import type { RestingHash } from "./running-hash.ts";
import type { UploadId } from "./upload-id.ts";
import type { UploadState } from "./upload-state.ts";

/**
 * What another process left of the hash of just these bytes.
 * @param algorithm any where it is not given
 */
export async function leftHash(
  context: RegistryContext,
  repository: RepositoryName,
  session: UploadState,
  algorithm?: DigestAlgorithm,
): Promise<RestingHash | undefined> {
  const left = canStage(context.driver)
    ? await leftByUs(context, repository, session)
    : await leftByPeer(context, repository, session, algorithm ?? "sha256");
  if (left === undefined || (algorithm ?? left.algorithm) !== left.algorithm) return undefined;
  if (left.hex !== undefined) return { algorithm: left.algorithm, hex: left.hex, fromStorage: true };
  const hash = await resumeHash(left.algorithm, left.state);
  if (hash?.length !== session.size) return undefined;
  return toResting(context.hashing, left.algorithm, { hex: hash.digest(), state: left.state }, true);
}

/** Costs time only where it fails: the bytes are read again then. */
export async function storeHash(
  { driver, paths }: RegistryContext,
  repository: RepositoryName,
  id: UploadId,
  { algorithm, hex, state }: Pick<RestingHash, "algorithm" | "hex" | "state">,
  { size, version }: Pick<FileInfo, "size"> & { readonly version?: string | undefined },
): Promise<void> {
  if (!canStage(driver) || (size > 0 && !version)) return;
  const what = state === undefined ? `${algorithm}:${hex}` : algorithm;
  const ours = Buffer.concat([Buffer.from(`${what} ${size > 0 ? version : ""}\n`), state ?? Buffer.of()]);
  await Promise.allSettled([
    driver.putContent(paths.uploadHash(repository, id), ours),
    state && driver.putContent(paths.hashState(repository, id, algorithm, size), state),
  ]);
}

/** Tells others what the client said at the start. */
export async function storeAlgorithm(
  context: RegistryContext,
  repository: RepositoryName,
  id: UploadId,
  algorithm: DigestAlgorithm,
): Promise<void> {
  if (!canStage(context.driver)) return;
  const hash = await createResumableHash(algorithm);
  await storeHash(context, repository, id, { algorithm, hex: hash.digest(), state: hash.save() }, { size: 0 });
}

interface StoredHash {
  readonly algorithm: DigestAlgorithm;
  readonly version: string;
  /** Instead of a state. */
  readonly hex?: string | undefined;
  readonly state: Uint8Array;
}

/** What we left of a session, whatever it holds by now. */
export async function readStoredHash(
  { driver, paths }: RegistryContext,
  repository: RepositoryName,
  id: UploadId,
): Promise<StoredHash | undefined> {
  const bytes = await absentIfNotFound(driver.getContent(paths.uploadHash(repository, id)));
  const end = bytes?.indexOf(0x0a) ?? -1;
  if (bytes === undefined || end < 0) return undefined;
  const line = Buffer.from(bytes.subarray(0, end)).toString("utf8");
  const space = line.indexOf(" ");
  const [algorithm = "", hex] = line.slice(0, space).split(":", 2);
  const known = { version: line.slice(space + 1), hex, state: bytes.slice(end + 1) };
  return isDigestAlgorithm(algorithm) ? { algorithm, ...known } : undefined;
}

async function leftByUs(
  context: RegistryContext,
  repository: RepositoryName,
  { id, version }: UploadState,
): Promise<StoredHash | undefined> {
  const stored = await readStoredHash(context, repository, id);
  return stored && stored.version === version ? stored : undefined;
}

async function leftByPeer(
  { driver, paths }: RegistryContext,
  repository: RepositoryName,
  { id, size }: UploadState,
  algorithm: DigestAlgorithm,
): Promise<Omit<StoredHash, "version"> | undefined> {
  const state = await absentIfNotFound(driver.getContent(paths.hashState(repository, id, algorithm, size)));
  return state && { algorithm, state };
}
