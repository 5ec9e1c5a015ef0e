/** Distinguished encoding of ASN.1, as far as the extensions of a certificate need it. */

export interface Element {
  readonly tag: number;
  readonly content: Uint8Array;
}

/**
 * The elements that one holds, in a row.
 * @throws {RangeError} where they are not whole
 * @see X.690, sections 8.1 and 10
 */
export function* elements(bytes: Uint8Array): Generator<Element> {
  for (let offset = 0; offset < bytes.length; ) {
    const { tag, start, end } = heading(bytes, offset);
    if (end > bytes.length) throw new RangeError("an element ends behind what holds it");
    yield { tag, content: bytes.subarray(start, end) };
    offset = end;
  }
}

/** @throws {RangeError} where there is none, or one with another tag than given */
export function firstElement(bytes: Uint8Array, tag: number): Uint8Array {
  const [first] = elements(bytes);
  if (first?.tag !== tag) throw new RangeError(`there is no element with the tag ${tag}`);
  return first.content;
}

function heading(bytes: Uint8Array, offset: number): { tag: number; start: number; end: number } {
  const [tag = 0, first = 0x80] = bytes.subarray(offset, offset + 2);
  if ((tag & 0x1f) === 0x1f) throw new RangeError("a tag of several bytes");
  if (first < 0x80) return { tag, start: offset + 2, end: offset + 2 + first };
  const count = first & 0x7f;
  if (count === 0 || count > 4) throw new RangeError("a length of no or many bytes");
  const start = offset + 2 + count;
  const length = bytes.subarray(offset + 2, start).reduce((sum, byte) => sum * 256 + byte, 0);
  return { tag, start, end: start + length };
}
