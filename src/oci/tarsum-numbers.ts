/** Numbers as headers of tar write them. Each `parse…` answers undefined for what is none. */

const LOWEST = -(2n ** 63n);
const HIGHEST = 2n ** 63n - 1n;

/** The bytes of a binary field of 12 bytes above its low eight, the mark with them. */
const POSITIVE = "80000000";
const NEGATIVE = "ffffffff";

/**
 * A numeric field: octal digits between spaces and NULs, none of them for 0, or with its top bit set a binary number.
 * As Go's archive/tar of 2015 read it the binary form of 8 bytes has 63 bits and no sign, that of 12 bytes has one; later
 * readers differ for negative owners only.
 */
export function parseField(field: Buffer): bigint | undefined {
  return ((field[0] ?? 0) & 0x80) === 0 ? parseOctal(field) : parseBinary(field);
}

function parseOctal(field: Buffer): bigint | undefined {
  const digits = cString(field.toString("latin1").replace(/^[ \0]+|[ \0]+$/g, ""));
  if (digits === "") return 0n;
  return /^[0-7]+$/.test(digits) ? BigInt(Number.parseInt(digits, 8)) : undefined;
}

function parseBinary(field: Buffer): bigint | undefined {
  if (field.length === 8) return field.readBigUInt64BE() & HIGHEST;
  const value = field.readBigInt64BE(field.length - 8);
  const upper = field.subarray(0, field.length - 8).toString("hex");
  return upper === (value < 0n ? NEGATIVE : POSITIVE) ? value : undefined;
}

/** Decimal, within 64 bits with a sign. */
export function parseDecimal(text: string): bigint | undefined {
  if (!/^[+-]?[0-9]{1,40}$/.test(text)) return undefined;
  const value = BigInt(text.replace("+", ""));
  return value < LOWEST || value > HIGHEST ? undefined : value;
}

/** A length or an offset: bytes, exact as a number of JavaScript. */
export function toLength(value: bigint | undefined): number | undefined {
  return value === undefined || value < 0n || value > Number.MAX_SAFE_INTEGER ? undefined : Number(value);
}

/** Up to the first NUL. */
export function cString(text: string): string {
  const end = text.indexOf("\0");
  return end < 0 ? text : text.slice(0, end);
}
