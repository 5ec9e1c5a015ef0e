/**
 * Conditional requests. Every entity tag of this registry is a digest in quotes; a bare digest is understood too, as the
 * peers do.
 *
 * @see RFC 9110, section 13
 */

/** Whether a list of entity tags (`If-Match`, `If-None-Match`) holds that of `digest`; `*` does. */
export function listsDigest(header: string | string[] | undefined, digest: string): boolean {
  if (header === undefined) return false;
  const tags = (Array.isArray(header) ? header.join(",") : header).split(",");
  return tags.some((tag) => {
    const text = tag.trim();
    return text === "*" || unquote(text.replace(/^W\//, "")) === digest;
  });
}

/** `If-Range` compares strongly: a weak tag or a date never matches. */
export function isSameRange(header: string | undefined, digest: string): boolean {
  return header === undefined || header === `"${digest}"`;
}

export function toEntityTag(digest: string): string {
  return `"${digest}"`;
}

function unquote(text: string): string {
  return text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;
}
