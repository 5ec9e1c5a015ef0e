/**
 * The header block of a tar's entry, of 512 bytes: name 100, mode 8, uid 8, gid 8, size 12, mtime 12, checksum 8,
 * typeflag 1, linkname 100, magic and version 8; and where the magic is ustar's or GNU's uname 32, gname 32, devmajor 8,
 * devminor 8, prefix 155 (star: 131, atime 12, ctime 12).
 *
 * Fields are what Go's archive/tar (1.3 to 1.5) made of them, for the sums are of that: no typeflag is replaced (later
 * versions turn NUL into `0`), no type loses its content, mode keeps every bit, numbers of a device belong to types 3 and
 * 4 only, and GNU's magic has a prefix too.
 *
 * @see POSIX.1-2024, pax, "ustar Interchange Format"
 */
import { BLOCK, brokenTar } from "./tarsum-bytes.ts";
import { cString, parseField, toLength } from "./tarsum-numbers.ts";

/** Text is of bytes, one a character: tar knows no encoding. */
export interface TarHeader {
  readonly name: string;
  readonly mode: bigint;
  readonly uid: bigint;
  readonly gid: bigint;
  /** Bytes of the file; those in the archive may be fewer when it is sparse. */
  readonly size: number;
  /** Seconds since 1970. */
  readonly mtime: bigint;
  /** One byte. */
  readonly typeflag: string;
  readonly linkname: string;
  readonly uname: string;
  readonly gname: string;
  readonly devmajor: bigint;
  readonly devminor: bigint;
  /** Names and values of the extended attributes; each name once. */
  readonly xattrs: ReadonlyMap<string, string>;
}

type Extra = Pick<TarHeader, "uname" | "gname" | "devmajor" | "devminor"> & { readonly prefix: string };

const NO_EXTRA: Extra = { uname: "", gname: "", devmajor: 0n, devminor: 0n, prefix: "" };
const NO_XATTRS: ReadonlyMap<string, string> = new Map();
const CHECKSUM = { start: 148, end: 156 } as const;
const DEVICES = ["3", "4"];
const GZIP_MAGIC = 0x1f8b;

/** @throws {DigestInvalid} when the checksum or a number is wrong */
export function parseHeader(block: Buffer): TarHeader {
  if (!hasItsChecksum(block)) throw noHeader(block);
  const typeflag = block.toString("latin1", 156, 157);
  const { prefix, ...extra } = parseExtra(block, typeflag);
  const name = text(block, 0, 100);
  return {
    name: prefix === "" ? name : `${prefix}/${name}`,
    mode: number(block, 100, 8),
    uid: number(block, 108, 8),
    gid: number(block, 116, 8),
    size: length(block, 124),
    mtime: number(block, 136, 12),
    typeflag,
    linkname: text(block, 157, 100),
    ...extra,
    xattrs: NO_XATTRS,
  };
}

/** Why these bytes, a block or what is left of one, are no header. */
export function noHeader(block: Buffer): Error {
  if (block.length >= 2 && block.readUInt16BE() === GZIP_MAGIC) {
    return brokenTar("it is compressed with gzip, and the sum is of the uncompressed tar");
  }
  return brokenTar(block.length < BLOCK ? "it ends in the middle of a block" : "a header has another checksum");
}

/** Of unsigned bytes, or of signed ones as some made it; the field itself counts as spaces. */
function hasItsChecksum(block: Buffer): boolean {
  const given = parseField(block.subarray(CHECKSUM.start, CHECKSUM.end));
  let sum = (CHECKSUM.end - CHECKSUM.start) * 0x20;
  let high = 0;
  for (let i = 0; i < BLOCK; i++) {
    if (i >= CHECKSUM.start && i < CHECKSUM.end) continue;
    const byte = block[i] ?? 0;
    sum += byte;
    if (byte >= 0x80) high++;
  }
  return given === BigInt(sum) || given === BigInt(sum - high * 0x100);
}

function parseExtra(block: Buffer, typeflag: string): Extra {
  const magic = block.toString("latin1", 257, 265);
  const isPosix = magic.startsWith("ustar\0");
  if (!isPosix && magic !== "ustar  \0") return NO_EXTRA;
  const isStar = isPosix && block.toString("latin1", 508, 512) === "tar\0";
  const isDevice = DEVICES.includes(typeflag);
  return {
    uname: text(block, 265, 32),
    gname: text(block, 297, 32),
    devmajor: isDevice ? number(block, 329, 8) : 0n,
    devminor: isDevice ? number(block, 337, 8) : 0n,
    prefix: text(block, 345, isStar ? 131 : 155),
  };
}

function text(block: Buffer, start: number, size: number): string {
  return cString(block.toString("latin1", start, start + size));
}

function number(block: Buffer, start: number, size: number): bigint {
  const value = parseField(block.subarray(start, start + size));
  if (value === undefined) throw brokenTar("a number in a header is none");
  return value;
}

/**
 * A field of 12 bytes that says how many.
 *
 * @throws {DigestInvalid} when it is no number, is negative, or is 2^53 and more
 */
export function length(block: Buffer, start: number): number {
  const value = toLength(number(block, start, 12));
  if (value === undefined) throw brokenTar("a size in a header is negative or too large");
  return value;
}
