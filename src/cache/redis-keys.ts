/**
 * What lies in Redis. docker/distribution's keys, so that its registries and ours can share one:
 *
 *     repository::<name>::blobs                  SET   digests of the repository's blobs
 *     repository::<name>::blobs::<digest>        HASH  mediatype
 *     blobs::<digest>                            HASH  digest (what the bytes lie under), size, mediatype
 *
 * and ours:
 *
 *     wharfinger:{repository::<name>::blobs}::<digest>    cleared lately: is not set again yet
 *     wharfinger:repository::<name>::revisions::<digest>  "held", or "cleared" lately: is not set again yet
 *
 * The braces put a key into the same slot of a cluster as the set it guards. The peers' keys never expire: let the server
 * evict (`allkeys-lru`).
 *
 * @see storage-layout, section 12
 */
import { type BlobDigest, isBlobDigest, isOfNothing, isTarsumDigest } from "../oci/blob-digest.ts";
import { algorithmOf, type Digest } from "../oci/digest.ts";
import { MediaType } from "../oci/media-types.ts";
import type { RepositoryName } from "../oci/names.ts";
import type { CachedBlob } from "./descriptor-cache.ts";
import type { Command, Reply } from "./redis-connection.ts";

/** A key with what is asked or changed of it. */
function command(name: string, key: string, ...rest: readonly string[]): Command {
  return { key, args: [name, key, ...rest] };
}

const membersOf = (repository: RepositoryName): string => `repository::${repository}::blobs`;
const ownFieldsOf = (repository: RepositoryName, digest: BlobDigest): string => `${membersOf(repository)}::${digest}`;
const fieldsOf = (digest: BlobDigest): string => `blobs::${digest}`;

/** The key of ours that stands for a blob of a repository, and guards it. */
export function blobEntry(repository: RepositoryName, digest: BlobDigest): string {
  return `wharfinger:{${membersOf(repository)}}::${digest}`;
}

export function revisionEntry(repository: RepositoryName, digest: Digest): string {
  return `wharfinger:repository::${repository}::revisions::${digest}`;
}

const FIELDS = ["digest", "size", "mediatype"] as const;

/** To be read by {@link parseBlob}. */
export function getBlob(repository: RepositoryName, digest: BlobDigest): readonly [Command, Command, Command] {
  return [
    command("SISMEMBER", membersOf(repository), digest),
    command("HMGET", fieldsOf(digest), ...FIELDS),
    command("HGET", ownFieldsOf(repository, digest), "mediatype"),
  ];
}

/** @returns undefined for nothing, `garbage` for what nobody in his right mind has written */
export function parseBlob(digest: BlobDigest, replies: readonly Reply[]): CachedBlob | "garbage" | undefined {
  const [member, fields, mediaType] = replies;
  const [target, size, ...others] = Array.isArray(fields) ? fields : [];
  if (target === null && size === null) return undefined;
  const blob = toBlob(digest, target, size);
  if (!blob) return "garbage";
  return member === 1 && others.every(isText) && isText(mediaType) ? blob : undefined;
}

function toBlob(digest: BlobDigest, target: Reply | undefined, size: Reply | undefined): CachedBlob | undefined {
  if (!isText(target) || !isBlobDigest(target) || !mayLieUnder(digest, target)) return undefined;
  if (!isText(size) || !/^(?:0|[1-9]\d{0,14})$/.test(size) || (size === "0" && !isOfNothing(target))) return undefined;
  return { target, size: Number(size) };
}

/** Bytes have one digest of each algorithm. A tarsum may name bytes of any. */
function mayLieUnder(digest: BlobDigest, target: BlobDigest): boolean {
  if (digest === target || isTarsumDigest(digest)) return true;
  return !isTarsumDigest(target) && algorithmOf(digest) !== algorithmOf(target);
}

function isText(reply: Reply | undefined): reply is string {
  return typeof reply === "string";
}

/** The last one makes it count, unless it was cleared lately. */
export function setBlob(repository: RepositoryName, digest: BlobDigest, blob: CachedBlob): readonly Command[] {
  const [members, guard] = [membersOf(repository), blobEntry(repository, digest)];
  return [
    command("HSET", fieldsOf(digest), "digest", blob.target, "size", String(blob.size)),
    command("HSETNX", fieldsOf(digest), "mediatype", MediaType.octetStream),
    command("HSET", ownFieldsOf(repository, digest), "mediatype", MediaType.octetStream),
    { key: members, args: ["EVAL", ADD_UNLESS_CLEARED, "2", members, guard, digest] },
  ];
}

const ADD_UNLESS_CLEARED =
  "if redis.call('EXISTS', KEYS[2]) == 1 then return -1 end return redis.call('SADD', KEYS[1], ARGV[1])";

/** @param guarded ms for which it is not set again */
export function clearBlob(repository: RepositoryName, digest: BlobDigest, guarded: number): readonly Command[] {
  return [
    command("SET", blobEntry(repository, digest), CLEARED, "PX", String(guarded)),
    command("SREM", membersOf(repository), digest),
    command("DEL", ownFieldsOf(repository, digest)),
    dropFields(digest),
  ];
}

/** Leaves a blob's membership alone: it is looked up and set anew. */
export function dropFields(digest: BlobDigest): Command {
  return command("HDEL", fieldsOf(digest), ...FIELDS);
}

/** For a key that holds something of another type. */
export function dropKey(key: string): Command {
  return command("DEL", key);
}

export function getRevision(entry: string): Command {
  return command("GET", entry);
}

export function isHeld(reply: Reply | undefined): boolean {
  return reply === HELD;
}

export function isGarbage(reply: Reply | undefined): boolean {
  return isText(reply) && reply !== HELD && reply !== CLEARED;
}

/** @param lifetime ms */
export function setRevision(entry: string, lifetime: number): Command {
  return command("SET", entry, HELD, "PX", String(lifetime), "NX");
}

/** @param guarded ms for which it is not set again */
export function clearRevision(entry: string, guarded: number): Command {
  return command("SET", entry, CLEARED, "PX", String(guarded));
}

const [HELD, CLEARED] = ["held", "cleared"];
