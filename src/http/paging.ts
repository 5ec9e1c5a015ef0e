/**
 * Lists a page at a time: `n` entries after `last`, and a `Link` to the next page where there is one.
 *
 * @see http-api, section 5; OCI distribution-spec 1.1, "Listing tags"
 */
import { isKnownListing } from "../lib/known-listing.ts";
import { PageSizeInvalid } from "../oci/errors.ts";
import type { Target } from "./target.ts";

/**
 * @returns the page's size, or undefined where the client names none
 * @throws {PageSizeInvalid} for anything but a decimal number
 */
export function parsePageSize(target: Target): number | undefined {
  const text = target.query.get("n");
  if (text === null || text === "") return undefined;
  if (!/^\d+$/.test(text)) throw new PageSizeInvalid(text.slice(0, 32));
  return Math.min(Number(text), Number.MAX_SAFE_INTEGER);
}

export interface Page<T> {
  readonly entries: readonly T[];
  readonly more: boolean;
}

/** Takes no more than one entry past the page. */
export async function takePage<T>(entries: AsyncIterable<T>, size: number): Promise<Page<T>> {
  const page: T[] = [];
  if (size === 0) return { entries: page, more: false };
  if (isKnownListing(entries)) return { entries: entries.known.slice(0, size), more: entries.known.length > size };
  for await (const entry of entries) {
    if (page.length === size) return { entries: page, more: true };
    page.push(entry);
  }
  return { entries: page, more: false };
}

/** The request's own path with exactly these parameters; relative, so that it survives every proxy. */
export function nextLink(target: Target, parameters: Readonly<Record<string, string>>): string {
  const path = target.url.split("?", 1)[0];
  return `<${path}?${new URLSearchParams(parameters)}>; rel="next"`;
}
