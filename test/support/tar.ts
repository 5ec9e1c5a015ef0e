/** A plain writer of tars for tests: what is asked for stands there, right or wrong. */

export interface TarPart {
  readonly bytes: Buffer;
  /** Whether another value of any of these bytes is another tar to a tarsum. */
  readonly isCovered: boolean;
}

export interface HeaderFields {
  readonly name: string;
  readonly mode?: number;
  readonly uid?: number | Buffer;
  readonly gid?: number | Buffer;
  /** Default: the length of the content. */
  readonly size?: number | Buffer;
  readonly mtime?: number | Buffer;
  readonly typeflag?: string;
  readonly linkname?: string;
  readonly magic?: string;
  readonly uname?: string;
  readonly gname?: string;
  readonly devmajor?: number;
  readonly devminor?: number;
  readonly prefix?: string;
  /** Bytes to stand at these offsets of the block, whatever else says so. */
  readonly patches?: Readonly<Record<number, Buffer | string>>;
  /** Text of the checksum's field. Default: the right one. */
  readonly checksum?: string;
}

export const USTAR = "ustar\x0000";
export const GNU = "ustar  \0";
const END: Buffer = Buffer.alloc(1024);

/** A header, content and padding. Text is of bytes, one a character. */
export function tarEntry(fields: HeaderFields, content: Buffer | string = ""): readonly TarPart[] {
  const bytes = Buffer.from(content as string, "latin1");
  return [...tarHeader({ size: bytes.length, ...fields }), { bytes, isCovered: true }, padding(bytes.length)];
}

export function tarHeader(fields: HeaderFields): readonly TarPart[] {
  const block = headerBlock(fields);
  return [
    { bytes: block.subarray(0, 148), isCovered: true },
    { bytes: block.subarray(148, 156), isCovered: false },
    { bytes: block.subarray(156), isCovered: true },
  ];
}

/** A pax extended header. Records are `name=value`; those in the second list do not count for the sum. */
export function paxEntry(records: readonly string[], uncounted: readonly string[] = []): readonly TarPart[] {
  const counted = Buffer.from(records.map(paxRecord).join(""), "latin1");
  const others = Buffer.from(uncounted.map(paxRecord).join(""), "latin1");
  const size = counted.length + others.length;
  return [
    ...tarHeader({ name: "PaxHeaders.0/x", typeflag: "x", magic: USTAR, size }),
    { bytes: counted, isCovered: true },
    { bytes: others, isCovered: false },
    padding(size),
  ];
}

/** GNU's long name (`L`) or long link (`K`). */
export function longEntry(typeflag: "L" | "K", text: string): readonly TarPart[] {
  return tarEntry({ name: "././@LongLink", typeflag, magic: GNU }, `${text}\0`);
}

export function padding(size: number): TarPart {
  return { bytes: Buffer.alloc((512 - (size % 512)) % 512), isCovered: false };
}

/** With the end of an archive, unless there is another. */
export function tarOf(entries: readonly (readonly TarPart[])[], end: Buffer = END): Buffer {
  return Buffer.concat([...entries.flat().map((part) => part.bytes), end]);
}

export function paxRecord(text: string): string {
  let length = text.length + 2;
  while (`${length} ${text}\n`.length !== length) length++;
  return `${length} ${text}\n`;
}

/** A binary number as GNU tar writes it. */
export function base256(value: bigint, width: number): Buffer {
  const bytes = Buffer.alloc(width);
  for (let i = 0, rest = value; i < width; i++, rest >>= 8n) bytes[width - 1 - i] = Number(rest & 0xffn);
  bytes[0] = (bytes[0] ?? 0) | 0x80;
  return bytes;
}

function headerBlock(fields: HeaderFields): Buffer {
  const block = Buffer.alloc(512);
  block.write(fields.name, 0, 100, "latin1");
  for (const [start, width, value] of [
    [100, 8, fields.mode ?? 0o644],
    [108, 8, fields.uid ?? 0],
    [116, 8, fields.gid ?? 0],
    [124, 12, fields.size ?? 0],
    [136, 12, fields.mtime ?? 0],
    [329, 8, fields.devmajor ?? 0],
    [337, 8, fields.devminor ?? 0],
  ] as const) {
    (typeof value === "number" ? octal(value, width) : value).copy(block, start);
  }
  block.write(fields.typeflag ?? "0", 156, "latin1");
  block.write(fields.linkname ?? "", 157, 100, "latin1");
  block.write(fields.magic ?? USTAR, 257, 8, "latin1");
  block.write(fields.uname ?? "", 265, 32, "latin1");
  block.write(fields.gname ?? "", 297, 32, "latin1");
  if (fields.prefix !== undefined) block.write(fields.prefix, 345, 155, "latin1");
  for (const [start, patch] of Object.entries(fields.patches ?? {})) {
    Buffer.from(patch as string, "latin1").copy(block, Number(start));
  }
  return withChecksum(block, fields.checksum);
}

/** The block itself, with the checksum that belongs to it or another text in its place. */
export function withChecksum(block: Buffer, text?: string): Buffer {
  block.write("        ", 148, "latin1");
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(text ?? `${sum.toString(8).padStart(6, "0")}\0 `, 148, 8, "latin1");
  return block;
}

function octal(value: number, width: number): Buffer {
  return Buffer.from(`${value.toString(8).padStart(width - 1, "0")}\0`, "latin1");
}
