/**
 * Records of a pax extended header (typeflag `x`), `<length> <name>=<value>\n` each, the length that of all of it.
 *
 * @see POSIX.1-2024, pax, "pax Extended Header"
 */
import { brokenTar, type Reading, WORK } from "./tarsum-bytes.ts";
import type { TarHeader } from "./tarsum-header.ts";
import { parseDecimal, toLength } from "./tarsum-numbers.ts";

/** Values by name, of those names that say something about a sum. Text is of bytes, one a character. */
export type PaxRecords = ReadonlyMap<string, string>;

/** Go's prefix for extended attributes; what another program writes under another prefix is not summed. */
const XATTR = "SCHILY.xattr.";
const KNOWN = new Set(["path", "linkpath", "uname", "gname", "uid", "gid", "size", "mtime"]);
const SPARSE = "GNU.sparse.";
/** Sparse files of version 0.0 repeat two records; version 0.1 has their values in one list. */
const SPARSE_MAP = "GNU.sparse.map";
const SPARSE_PARTS = new Set(["GNU.sparse.offset", "GNU.sparse.numbytes"]);

/** Bytes of a length with its space, at most. */
const LONGEST_LENGTH = 24;
/** Records read at once. */
const BATCH = 128;

/**
 * A name that comes twice has the last value; the repeated ones of a sparse file become the list of version 0.1.
 *
 * @param most how many values to take
 * @throws {DigestInvalid} when it is not a sequence of records, or has more
 */
export function* parsePax(bytes: Buffer, most: number): Reading<PaxRecords> {
  const records = new Map<string, string>();
  const sparse: string[] = [];
  for (let start = 0, count = 1; start < bytes.length; count++) {
    const { name, value, end } = parseRecord(bytes, start);
    if (SPARSE_PARTS.has(name)) sparse.push(value);
    else if (KNOWN.has(name) || name.startsWith(XATTR) || name.startsWith(SPARSE)) records.set(name, value);
    if (records.size > most) throw brokenTar(`an extended header has more than ${most} records, too many to verify`);
    if (count % BATCH === 0) yield WORK;
    start = end;
  }
  return sparse.length === 0 ? records : records.set(SPARSE_MAP, sparse.join(","));
}

function parseRecord(bytes: Buffer, start: number): { readonly name: string; readonly value: string; end: number } {
  const head = bytes.toString("latin1", start, start + LONGEST_LENGTH);
  const digits = head.slice(0, Math.max(0, head.indexOf(" ")));
  const end = start + (/^[0-9]+$/.test(digits) ? Number(digits) : Number.NaN);
  const equals = bytes.indexOf("=", start);
  if (!(end <= bytes.length && equals >= 0 && equals < end - 1 && bytes[end - 1] === 0x0a)) {
    throw brokenTar("an extended header is not a sequence of records");
  }
  const name = bytes.toString("latin1", start + digits.length + 1, equals);
  return { name, value: bytes.toString("latin1", equals + 1, end - 1), end };
}

/**
 * What the records say goes before what the block says. An empty value is an empty text, as Go took it, and not the
 * absence that POSIX means.
 *
 * @throws {DigestInvalid} for a number that is none; Go ignored it, together with any of the other records
 */
export function withRecords(header: TarHeader, records: PaxRecords): TarHeader {
  const number = (name: string, otherwise: bigint): bigint => numberOf(records, name) ?? otherwise;
  return {
    ...header,
    name: records.get("path") ?? header.name,
    linkname: records.get("linkpath") ?? header.linkname,
    uname: records.get("uname") ?? header.uname,
    gname: records.get("gname") ?? header.gname,
    uid: number("uid", header.uid),
    gid: number("gid", header.gid),
    size: lengthOf(records, "size") ?? header.size,
    mtime: secondsOf(records) ?? header.mtime,
    xattrs: xattrsOf(records),
  };
}

/** @throws {DigestInvalid} when there is one and it is not how many bytes */
export function lengthOf(records: PaxRecords, name: string): number | undefined {
  const value = numberOf(records, name);
  const length = toLength(value);
  if (value !== undefined && length === undefined) throw badNumber(name);
  return length;
}

function numberOf(records: PaxRecords, name: string): bigint | undefined {
  const text = records.get(name);
  if (text === undefined) return undefined;
  return parseDecimal(text) ?? fail(name);
}

/** The whole seconds alone: `-1.5` is -1, as Go's Unix time has it. */
function secondsOf(records: PaxRecords): bigint | undefined {
  const text = records.get("mtime");
  if (text === undefined) return undefined;
  const [seconds = "", fraction = "", ...more] = text.split(".", 3);
  if (more.length > 0 || !/^[0-9]*$/.test(fraction)) throw badNumber("mtime");
  return parseDecimal(seconds) ?? fail("mtime");
}

function xattrsOf(records: PaxRecords): ReadonlyMap<string, string> {
  const found = [...records].filter(([name]) => name.startsWith(XATTR));
  return new Map(found.map(([name, value]) => [name.slice(XATTR.length), value]));
}

function fail(name: string): never {
  throw badNumber(name);
}

function badNumber(name: string): Error {
  return brokenTar(`${name} in an extended header is no number, or out of range`);
}
