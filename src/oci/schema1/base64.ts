/** Line breaks and blanks, which the peers' decoder leaves out. */
const BLANKS = /[\r\n ]/g;

/**
 * base64url without padding.
 * @returns undefined where the text is not what encoding the bytes again would give: one content, one spelling
 * @see RFC 7515, section 2
 */
export function decodeBase64url(text: string): Uint8Array | undefined {
  return decode(text, "base64url");
}

/** As {@link decodeBase64url}, for base64 with padding. @see RFC 4648, section 4 */
export function decodeBase64(text: string): Uint8Array | undefined {
  return decode(text, "base64");
}

export function encodeBase64url(bytes: Uint8Array | string): string {
  return Buffer.from(bytes as Uint8Array).toString("base64url");
}

function decode(text: string, encoding: "base64" | "base64url"): Uint8Array | undefined {
  const dense = text.replace(BLANKS, "");
  const bytes = Buffer.from(dense, encoding);
  return bytes.toString(encoding) === dense ? bytes : undefined;
}
