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
  if (isKnownListing(entries)) return pageOf(entries.known, size);
  for await (const entry of entries) {
    if (page.length === size) return { entries: page, more: true };
    page.push(entry);
  }
  return { entries: page, more: false };
}

/** A list that fits is given as it is, so that it can be recognized. */
function pageOf<T>(all: readonly T[], size: number): Page<T> {
  return all.length <= size ? { entries: all, more: false } : { entries: all.slice(0, size), more: true };
}

/** The request's own path with exactly these parameters; relative, so that it survives every proxy. */
export function nextLink(target: Target, parameters: Readonly<Record<string, string>>): string {
  const path = target.url.split("?", 1)[0];
  return `<${path}?${new URLSearchParams(parameters)}>; rel="next"`;
}
