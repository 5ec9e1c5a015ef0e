import { createRequire } from "node:module";
import type { UrlPattern } from "./config.ts";
import { type Field, field } from "./fields.ts";

/**
 * A pattern for the URLs of foreign layers, in the peers' syntax and with their engine's promise: time linear in the URL,
 * whatever the pattern.
 *
 * @see https://github.com/google/re2/wiki/Syntax
 */
export const urlPattern: Field<UrlPattern> = field(
  "a regular expression in RE2's syntax, such as ^https://[^/]+\\.example\\.com/",
  ({ text }) => compile(text),
);

/** Loaded with the first pattern, of which most configurations have none: 11 ms of a cold start. */
function engine(): typeof import("re2js") {
  return createRequire(import.meta.url)("re2js");
}

function compile(source: string): UrlPattern | undefined {
  const { RE2JS } = engine();
  try {
    const pattern = RE2JS.compile(source);
    return { source, test: (url) => pattern.test(url) };
  } catch {
    return undefined;
  }
}
