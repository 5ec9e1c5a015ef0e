/**
 * The tarsum of a whole tar, written plainly from what it is (reference, manifests.md section 9; Go's archive/tar of
 * 2015 for the fields) and from nothing of src/. Small tars only.
 */
import { createHash } from "node:crypto";

export interface PlainEntry {
  readonly name: string;
  readonly typeflag: string;
  readonly numbers: Readonly<Record<"mode" | "uid" | "gid" | "size" | "mtime" | "devmajor" | "devminor", bigint>>;
  readonly linkname: string;
  readonly uname: string;
  readonly gname: string;
  readonly xattrs: readonly (readonly [string, string])[];
  readonly content: Buffer;
}

type Records = Readonly<Record<string, string>>;
type Version = "v0" | "v1" | "dev";

/** @throws {Error} when there is none */
export function tarsumByHand(tar: Buffer, version: Version, algorithm: "sha256" | "sha512" = "sha256"): string {
  return sumByHand(readTar(tar), version, algorithm);
}

/** The sum of entries, whichever way they were written. */
export function sumByHand(
  entries: readonly PlainEntry[],
  version: Version,
  algorithm: "sha256" | "sha512" = "sha256",
): string {
  const sums = entries.map((entry) => ({ path: plainPath(entry.name), sum: entrySum(entry, version, algorithm) }));
  const hex = createHash(algorithm).update(inOrder(sums).join("")).digest("hex");
  return `tarsum${version === "v0" ? "" : `.${version}`}+${algorithm}:${hex}`;
}

function entrySum(entry: PlainEntry, version: Version, algorithm: string): string {
  const { mode, uid, gid, size, mtime, devmajor, devminor } = entry.numbers;
  const fields: (readonly [string, string | bigint])[] = [
    ["name", entry.name],
    ["mode", mode],
    ["uid", uid],
    ["gid", gid],
    ["size", size],
  ];
  if (version === "v0") fields.push(["mtime", mtime]);
  fields.push(["typeflag", entry.typeflag], ["linkname", entry.linkname]);
  fields.push(["uname", entry.uname], ["gname", entry.gname], ["devmajor", devmajor], ["devminor", devminor]);
  if (version !== "v0") fields.push(...entry.xattrs.toSorted(([a], [b]) => Buffer.compare(bytesOf(a), bytesOf(b))));
  const hash = createHash(algorithm);
  for (const [name, value] of fields) hash.update(bytesOf(`${name}${value}`));
  return hash.update(entry.content).digest("hex");
}

function plainPath(name: string): string {
  const start = name.startsWith("./") ? 2 : 0;
  return name.slice(start, name.endsWith("/") ? Math.max(start, name.length - 1) : name.length);
}

/** An entry's place is how many must stand before it; where two have one place, there is no order. */
function inOrder(sums: readonly { readonly path: string; readonly sum: string }[]): readonly string[] {
  const order: string[] = [];
  for (const [i, one] of sums.entries()) {
    const before = sums.filter((other, j) =>
      other.path === one.path || other.sum === one.sum ? j < i : other.sum < one.sum,
    );
    if (order[before.length] !== undefined) throw new Error("no order");
    order[before.length] = one.sum;
  }
  return order;
}

export function readTar(tar: Buffer): readonly PlainEntry[] {
  const entries: PlainEntry[] = [];
  let at = 0;
  let names: { name?: string; linkname?: string } = {};
  const take = (size: number): Buffer => {
    if (at + size > tar.length) throw new Error("truncated");
    at += size;
    return tar.subarray(at - size, at);
  };
  const content = (size: number): Buffer => {
    const bytes = take(size);
    take((512 - (size % 512)) % 512);
    return bytes;
  };
  while (at < tar.length && tar.subarray(at, at + 512).some((byte) => byte !== 0)) {
    const block = take(512);
    const typeflag = fieldsOf(block, {}).typeflag;
    if (typeflag === "L" || typeflag === "K") {
      const text = untilNul(content(Number(fieldsOf(block, {}).numbers.size)).toString("latin1"));
      names = typeflag === "L" ? { name: text, ...names } : { linkname: text, ...names };
      continue;
    }
    const records = typeflag === "x" ? recordsOf(content(Number(fieldsOf(block, {}).numbers.size))) : {};
    const main = typeflag === "x" ? take(512) : block;
    const fields = fieldsOf(main, records);
    const isPaxSparse = sparseVersion((key) => records[`GNU.sparse.${key}`]) !== undefined;
    if (fields.typeflag === "S" && isPaxSparse) throw new Error("twice");
    const file = fields.typeflag === "S" ? oldSparse(main, fields, take, content) : paxSparse(fields, records, content);
    entries.push({ ...fields, ...file, ...names });
    names = {};
  }
  if (Object.keys(names).length > 0 || (at < tar.length && tar.length - at < 512)) throw new Error("broken end");
  if (tar.length - at > 512 && tar.length - at < 1024) throw new Error("half a block");
  if (tar.subarray(at).some((byte) => byte !== 0)) throw new Error("trailing data");
  return entries;
}

function fieldsOf(block: Buffer, records: Records): PlainEntry {
  checkSum(block);
  const typeflag = block.toString("latin1", 156, 157);
  const magic = block.toString("latin1", 257, 265);
  const known = magic.slice(0, 6) === "ustar\0" || magic === "ustar  \0";
  const star = magic.slice(0, 6) === "ustar\0" && block.toString("latin1", 508, 512) === "tar\0";
  const text = (start: number, end: number): string => (known ? untilNul(block.toString("latin1", start, end)) : "");
  const device = known && (typeflag === "3" || typeflag === "4");
  const prefix = text(345, star ? 476 : 500);
  const name = untilNul(block.toString("latin1", 0, 100));
  const blockSize = numeric(block, 124, 136);
  const size = decimal(records["size"], blockSize);
  if ([size, blockSize].some((value) => value < 0n || value >= 2n ** 53n)) throw new Error("size");
  if (typeflag === "S" && records["size"] !== undefined) throw new Error("twice");
  return {
    name: records["path"] ?? (prefix === "" ? name : `${prefix}/${name}`),
    typeflag,
    numbers: {
      mode: numeric(block, 100, 108),
      uid: decimal(records["uid"], numeric(block, 108, 116)),
      gid: decimal(records["gid"], numeric(block, 116, 124)),
      size,
      mtime: seconds(records["mtime"], numeric(block, 136, 148)),
      devmajor: device ? numeric(block, 329, 337) : 0n,
      devminor: device ? numeric(block, 337, 345) : 0n,
    },
    linkname: records["linkpath"] ?? untilNul(block.toString("latin1", 157, 257)),
    uname: records["uname"] ?? text(265, 297),
    gname: records["gname"] ?? text(297, 329),
    xattrs: Object.entries(records).flatMap(([key, value]) =>
      key.startsWith("SCHILY.xattr.") ? [[key.slice(13), value] as const] : [],
    ),
    content: Buffer.alloc(0),
  };
}

function checkSum(block: Buffer): void {
  const spaced = Buffer.concat([block.subarray(0, 148), Buffer.from("        "), block.subarray(156)]);
  const unsigned = spaced.reduce((sum, byte) => sum + byte, 0);
  const signed = spaced.reduce((sum, byte) => sum + (byte > 127 ? byte - 256 : byte), 0);
  const given = numeric(block, 148, 156);
  if (given !== BigInt(unsigned) && given !== BigInt(signed)) throw new Error("checksum");
}

function numeric(block: Buffer, start: number, end: number): bigint {
  const field = block.subarray(start, end);
  if ((field[0] ?? 0) >= 128) {
    const bits = BigInt(`0x${field.toString("hex")}`) - (128n << BigInt(8 * (field.length - 1)));
    const sign = 1n << BigInt(8 * field.length - 1);
    const value = field.length > 8 && bits * 2n >= sign ? bits - sign : bits;
    if (value !== BigInt.asIntN(64, value)) throw new Error("too large");
    return value;
  }
  const text = untilNul(
    field
      .toString("latin1")
      .replace(/^[\0 ]+/, "")
      .replace(/[\0 ]+$/, ""),
  );
  if (text !== "" && !/^[0-7]+$/.test(text)) throw new Error("number");
  return BigInt(`0o0${text}`);
}

function recordsOf(bytes: Buffer): Records {
  const records: Record<string, string> = Object.create(null);
  const sparse: string[] = [];
  let rest = bytes.toString("latin1");
  while (rest !== "") {
    const size = Number(/^(\d{1,23}) /.exec(rest)?.[1]);
    if (!(size <= rest.length)) throw new Error("record");
    const record = rest.slice(rest.indexOf(" ") + 1, size);
    const [, key = "", value = ""] = /^([^=]*)=([\s\S]*)\n$/.exec(record) ?? [];
    if (!record.endsWith("\n") || !record.includes("=")) throw new Error("record");
    if (/^GNU\.sparse\.(?:offset|numbytes)$/.test(key)) sparse.push(value);
    else records[key] = value;
    rest = rest.slice(size);
  }
  if (sparse.length > 0) records["GNU.sparse.map"] = sparse.join(",");
  return records;
}

function decimal(text: string | undefined, otherwise: bigint): bigint {
  if (text === undefined) return otherwise;
  const [, sign, digits] = /^([+-]?)([0-9]{1,40})$/.exec(text) ?? [];
  if (digits === undefined) throw new Error("decimal");
  const value = sign === "-" ? -BigInt(digits) : BigInt(digits);
  if (value !== BigInt.asIntN(64, value)) throw new Error("decimal");
  return value;
}

function seconds(text: string | undefined, otherwise: bigint): bigint {
  if (text !== undefined && !/^[^.]*(?:\.[0-9]*)?$/.test(text)) throw new Error("time");
  return decimal(text?.replace(/\..*$/, ""), otherwise);
}

function oldSparse(
  block: Buffer,
  fields: PlainEntry,
  take: (size: number) => Buffer,
  content: (size: number) => Buffer,
): Partial<PlainEntry> {
  const map: bigint[] = [];
  const collect = (bytes: Buffer, start: number, entries: number): void => {
    for (let i = 0; i < entries; i++) {
      const pair = [0, 12].map((half) => numeric(bytes, start + 24 * i + half, start + 24 * i + half + 12));
      if (pair.every((number) => number === 0n)) return;
      map.push(...pair);
    }
  };
  const size = numeric(block, 483, 495);
  collect(block, 386, 4);
  for (let more = block[482] !== 0; more; ) {
    const next = take(512);
    collect(next, 0, 21);
    more = next[504] !== 0;
  }
  return whole(fields, size, map, content(Number(fields.numbers.size)));
}

function paxSparse(fields: PlainEntry, records: Records, content: (size: number) => Buffer): Partial<PlainEntry> {
  const get = (key: string): string | undefined => records[`GNU.sparse.${key}`];
  const stored = content(Number(fields.numbers.size));
  const version = sparseVersion(get);
  if (version === undefined) return { content: stored };
  const size = decimal(get("size") ?? get("realsize"), fields.numbers.size);
  const name = get("name") ?? fields.name;
  return {
    name,
    ...(version === "1.0" ? mapInContent(fields, size, stored) : mapInRecords(fields, size, stored, get)),
  };
}

function sparseVersion(get: (key: string) => string | undefined): string | undefined {
  const [major, minor] = [get("major"), get("minor")];
  if (major !== undefined && minor !== undefined) {
    return ["0.0", "0.1", "1.0"].find((version) => version === `${major}.${minor}`);
  }
  return (get("name") !== undefined && get("map") !== undefined) || get("size") !== undefined ? "0.x" : undefined;
}

function mapInRecords(
  fields: PlainEntry,
  size: bigint,
  stored: Buffer,
  get: (key: string) => string | undefined,
): Partial<PlainEntry> {
  const list = (get("map") ?? "").split(",").map((text) => decimal(text, 0n));
  if (decimal(get("numblocks"), -1n) * 2n !== BigInt(list.length)) throw new Error("map");
  return whole(fields, size, list, stored);
}

function mapInContent(fields: PlainEntry, size: bigint, stored: Buffer): Partial<PlainEntry> {
  const lines = stored.toString("latin1").split("\n");
  const number = (line: number): bigint => {
    const text = lines[line];
    if (text === undefined || line >= lines.length - 1 || text.length > 24) throw new Error("map");
    return decimal(text, 0n);
  };
  const count = Number(number(0));
  if (count < 0 || count > lines.length) throw new Error("map");
  const map = Array.from({ length: 2 * count }, (_, i) => number(i + 1));
  const used = lines.slice(0, 2 * count + 1).join("\n").length + 1;
  const blocks = Math.ceil(used / 512) * 512;
  if (blocks > stored.length) throw new Error("map");
  return whole(fields, size, map, stored.subarray(blocks));
}

function whole(fields: PlainEntry, size: bigint, map: readonly bigint[], stored: Buffer): Partial<PlainEntry> {
  if (size < 0n || size > 2n ** 28n) throw new Error("size");
  const content = Buffer.alloc(Number(size));
  let read = 0;
  let end = 0n;
  for (let i = 0; i < map.length; i += 2) {
    const [offset = 0n, length = 0n] = map.slice(i, i + 2);
    if (offset < end || length < 0n || offset + length > size) throw new Error("fragment");
    end = offset + length;
    read += stored.copy(content, Number(offset), read, read + Number(length));
  }
  const total = map.reduce((sum, value, i) => (i % 2 === 1 ? sum + value : sum), 0n);
  if (total !== BigInt(stored.length) || read !== stored.length) throw new Error("fragment");
  return { numbers: { ...fields.numbers, size }, content };
}

function untilNul(text: string): string {
  return text.split("\0", 1)[0] ?? "";
}

function bytesOf(text: string): Buffer {
  return Buffer.from(text, "latin1");
}
