/**
 * An entry of a tar up to its content, with what stands before its header: a pax extended header (typeflag `x`), a long
 * name (`L`) and a long link (`K`) of GNU.
 *
 * Go's reader is followed: an extended header belongs to the block behind it whatever that is; a long name goes before
 * everything, of several the first; and a global header (`g`) is an entry like any other, which changes nothing for
 * those that follow.
 */
import { BLOCK, brokenTar, exactly, type Reading, skipPadding, upTo } from "./tarsum-bytes.ts";
import { noHeader, parseHeader, type TarHeader } from "./tarsum-header.ts";
import type { TarsumLimits } from "./tarsum-limits.ts";
import { cString } from "./tarsum-numbers.ts";
import { type PaxRecords, parsePax, withRecords } from "./tarsum-pax.ts";
import {
  holesOf,
  oldRealSize,
  type PaxSparse,
  readMap,
  readOldMap,
  type SparseMap,
  toSparse,
} from "./tarsum-sparse.ts";

export interface TarEntry {
  readonly header: TarHeader;
  /** Bytes that the archive holds of it from here, padding apart. A map before them is of whole blocks. */
  readonly stored: number;
  /** Undefined for a file without holes. */
  readonly map?: SparseMap;
  /** Bytes. */
  readonly holes: number;
}

interface LongNames {
  readonly name?: string;
  readonly linkname?: string;
}

const ZERO_BLOCK = Buffer.alloc(BLOCK);

/**
 * Undefined at the end of the archive: two blocks of zeros, or as in Go one, or none where the stream ends.
 *
 * @throws {DigestInvalid} for what is broken or above a limit
 */
export function* readEntry(limits: TarsumLimits): Reading<TarEntry | undefined> {
  let long: LongNames = {};
  for (;;) {
    const block = yield* readBlock();
    if (block === undefined && Object.keys(long).length > 0) throw brokenTar("a long name has no entry");
    if (block === undefined) return undefined;
    const header = parseHeader(block);
    const { typeflag } = header;
    if (typeflag === "L") long = { name: yield* readLongName(header, limits), ...long };
    else if (typeflag === "K") long = { linkname: yield* readLongName(header, limits), ...long };
    else return withLongNames(yield* readFirst(block, header, limits), long);
  }
}

function withLongNames(entry: TarEntry, long: LongNames): TarEntry {
  return { ...entry, header: { ...entry.header, ...long } };
}

/** Undefined at the end of the archive. */
function* readBlock(): Reading<Buffer | undefined> {
  const block = yield* upTo(BLOCK);
  if (block.length === 0) return undefined;
  if (block.length < BLOCK) throw noHeader(block);
  if (!block.equals(ZERO_BLOCK)) return block;
  const next = yield* upTo(BLOCK);
  if (next.length > 0 && !next.equals(ZERO_BLOCK)) throw brokenTar("something stands behind a block of zeros");
  return undefined;
}

function* readLongName(header: TarHeader, limits: TarsumLimits): Reading<string> {
  const name = cString((yield* readExtension(header, limits)).toString("latin1"));
  yield* skipPadding(header.size);
  return name;
}

/** Its padding is not read yet. */
function* readExtension({ size }: TarHeader, limits: TarsumLimits): Reading<Buffer> {
  if (size > limits.extensionBytes) {
    throw brokenTar(`an extended header or long name has more than ${limits.extensionBytes} bytes, too many to verify`);
  }
  return yield* exactly(size);
}

function* readFirst(block: Buffer, header: TarHeader, limits: TarsumLimits): Reading<TarEntry> {
  if (header.typeflag !== "x") return yield* readPlain(block, header, limits);
  const records = yield* parsePax(yield* readExtension(header, limits), limits.records);
  yield* skipPadding(header.size);
  const target = yield* readBlock();
  if (target === undefined) throw brokenTar("an extended header has no entry");
  return yield* readExtended(target, records, limits);
}

function* readPlain(block: Buffer, header: TarHeader, limits: TarsumLimits): Reading<TarEntry> {
  const { size: stored } = header;
  if (header.typeflag !== "S") return { header, stored, holes: 0 };
  const size = oldRealSize(block);
  const map = { fragments: yield* readOldMap(block, limits.fragments), stored };
  return { header: { ...header, size }, stored, map, holes: holesOf(size, map) };
}

/**
 * A size in the records is the content's too. Go of 2015 still took the block's there, and so failed on files of 8 GiB
 * and more, where the block cannot say it.
 */
function* readExtended(block: Buffer, records: PaxRecords, limits: TarsumLimits): Reading<TarEntry> {
  const header = withRecords(parseHeader(block), records);
  const sparse = yield* toSparse(header, records, limits.fragments);
  if (header.typeflag === "S" && (sparse !== undefined || records.has("size"))) {
    throw brokenTar("a sparse file is described twice");
  }
  if (sparse !== undefined) return yield* readSparse(sparse, header.size, limits);
  return yield* readPlain(block, header, limits);
}

function* readSparse({ header, map: list }: PaxSparse, size: number, limits: TarsumLimits): Reading<TarEntry> {
  const map = list === undefined ? yield* readMap(size, limits.fragments) : { fragments: list, stored: size };
  return { header, stored: map.stored, map, holes: holesOf(header.size, map) };
}
