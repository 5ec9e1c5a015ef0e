/**
 * Files with holes, as GNU tar writes them: the old form in the header block and blocks behind it (typeflag `S`), and
 * versions 0.0, 0.1 (in an extended header) and 1.0 (at the head of the content). Go's reader gave the file whole, its
 * holes as zeros and its size the real one, so that is what is summed.
 *
 * @see GNU tar manual, "Storing Sparse Files"
 */
import { BLOCK, brokenTar, exactly, type Reading, WORK } from "./tarsum-bytes.ts";
import { length, type TarHeader } from "./tarsum-header.ts";
import { parseDecimal, toLength } from "./tarsum-numbers.ts";
import { lengthOf, type PaxRecords } from "./tarsum-pax.ts";

/** Bytes of a file that the archive holds. */
export interface Fragment {
  /** In the file. */
  readonly offset: number;
  readonly size: number;
}

/** What a sparse file's map says, and what of the stored bytes it leaves. */
export interface SparseMap {
  readonly fragments: readonly Fragment[];
  /** Bytes. */
  readonly stored: number;
}

/** A file that an extended header calls sparse. */
export interface PaxSparse {
  readonly header: TarHeader;
  /** The map of versions 0.0 and 0.1; undefined where it is in the content. */
  readonly map: readonly Fragment[] | undefined;
}

/** Where the old form has what. An entry is an offset and a size of 12 bytes each. */
const OLD = { first: 386, entries: 4, extended: 482, realSize: 483 } as const;
const OLD_MORE = { first: 0, entries: 21, extended: 504 } as const;
const ENTRY = 24;
/** Digits of a number in the map of version 1.0, and some. */
const LONGEST_NUMBER = 24;
/** Fragments of a list read at once. */
const BATCH = 64;
const VERSIONS = ["0.0", "0.1", "1.0"];

/** Bytes of the file that a header of the old form describes. */
export function oldRealSize(block: Buffer): number {
  return length(block, OLD.realSize);
}

/**
 * Reads the blocks behind the header too.
 *
 * @param most how many fragments to take
 * @throws {DigestInvalid} when it is broken or has more
 */
export function* readOldMap(block: Buffer, most: number): Reading<readonly Fragment[]> {
  const fragments = oldFragments(block, OLD);
  let isExtended = block[OLD.extended] !== 0;
  while (isExtended) {
    const more = yield* exactly(BLOCK);
    for (const fragment of oldFragments(more, OLD_MORE)) fragments.push(fragment);
    if (fragments.length > most) throw tooMany(most);
    isExtended = more[OLD_MORE.extended] !== 0;
  }
  return fragments;
}

/** Up to an entry of two zeros. */
function oldFragments(block: Buffer, { first, entries }: typeof OLD | typeof OLD_MORE): Fragment[] {
  const fragments: Fragment[] = [];
  for (let i = 0; i < entries; i++) {
    const start = first + i * ENTRY;
    const fragment = { offset: length(block, start), size: length(block, start + ENTRY / 2) };
    if (fragment.offset === 0 && fragment.size === 0) break;
    fragments.push(fragment);
  }
  return fragments;
}

/**
 * Undefined when the file is not sparse, or of a version that Go did not know and took for a plain file.
 *
 * @throws {DigestInvalid} when the records are broken
 */
export function* toSparse(header: TarHeader, records: PaxRecords, most: number): Reading<PaxSparse | undefined> {
  const version = versionOf(records);
  if (version === undefined || !VERSIONS.includes(version)) return undefined;
  const size = lengthOf(records, "GNU.sparse.size") ?? lengthOf(records, "GNU.sparse.realsize") ?? header.size;
  const name = records.get("GNU.sparse.name") ?? header.name;
  return { header: { ...header, name, size }, map: version === "1.0" ? undefined : yield* listedMap(records, most) };
}

function versionOf(records: PaxRecords): string | undefined {
  const [major, minor] = [records.get("GNU.sparse.major"), records.get("GNU.sparse.minor")];
  if (major !== undefined && minor !== undefined) return `${major}.${minor}`;
  if (records.has("GNU.sparse.name") && records.has("GNU.sparse.map")) return "0.1";
  return records.has("GNU.sparse.size") ? "0.0" : undefined;
}

function* listedMap(records: PaxRecords, most: number): Reading<readonly Fragment[]> {
  const count = lengthOf(records, "GNU.sparse.numblocks");
  if (count === undefined) throw brokenMap();
  if (count > most) throw tooMany(most);
  const list = (records.get("GNU.sparse.map") ?? "").split(",", 2 * count + 1);
  if (list.length !== 2 * count) throw brokenMap();
  const fragments: Fragment[] = [];
  while (fragments.length < count) {
    fragments.push(toFragment(list[2 * fragments.length], list[2 * fragments.length + 1]));
    if (fragments.length % BATCH === 0) yield WORK;
  }
  return fragments;
}

/**
 * Reads the map of version 1.0: decimals, a line each, how many fragments first, filled up to a whole block.
 *
 * @param stored bytes that the archive holds of the entry, the map with them
 * @throws {DigestInvalid} when it is broken or has more than that many fragments
 */
export function* readMap(stored: number, most: number): Reading<SparseMap> {
  const lines = new Lines(stored);
  const count = toLength(parseDecimal(yield* lines.next()));
  if (count === undefined) throw brokenMap();
  if (count > most) throw tooMany(most);
  const fragments: Fragment[] = [];
  while (fragments.length < count) fragments.push(toFragment(yield* lines.next(), yield* lines.next()));
  return { fragments, stored: lines.left };
}

class Lines {
  /** Bytes of the entry not read yet. */
  left: number;
  #text = "";

  constructor(left: number) {
    this.left = left;
  }

  *next(): Reading<string> {
    if (!this.#text.includes("\n")) yield* this.#readBlock();
    const end = this.#text.indexOf("\n");
    if (end < 0 || end > LONGEST_NUMBER) throw brokenMap();
    const line = this.#text.slice(0, end);
    this.#text = this.#text.slice(end + 1);
    return line;
  }

  *#readBlock(): Reading {
    if (this.left < BLOCK) throw brokenMap();
    this.left -= BLOCK;
    this.#text += (yield* exactly(BLOCK)).toString("latin1");
  }
}

function toFragment(offsetText: string | undefined, sizeText: string | undefined): Fragment {
  const offset = toLength(parseDecimal(offsetText ?? ""));
  const size = toLength(parseDecimal(sizeText ?? ""));
  if (offset === undefined || size === undefined) throw brokenMap();
  return { offset, size };
}

/**
 * Fragments in order, apart from each other, within the file, and together as many bytes as the archive holds. Go's
 * reader failed or never ended on some of what is refused, and left bytes unread on the rest.
 *
 * @returns how many bytes of the file are holes
 * @throws {DigestInvalid} otherwise
 */
export function holesOf(size: number, { fragments, stored }: SparseMap): number {
  let end = 0;
  let held = 0;
  for (const fragment of fragments) {
    if (fragment.offset < end) throw brokenMap();
    end = fragment.offset + fragment.size;
    held += fragment.size;
  }
  if (end > size || held !== stored) throw brokenMap();
  return size - held;
}

function brokenMap(): Error {
  return brokenTar("the map of a sparse file is broken");
}

function tooMany(most: number): Error {
  return brokenTar(`a sparse file has more than ${most} fragments, too many to verify`);
}
