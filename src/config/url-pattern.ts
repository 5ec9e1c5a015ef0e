import { RE2JS } from "re2js";
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

function compile(source: string): UrlPattern | undefined {
  try {
    const pattern = RE2JS.compile(source);
    return { source, test: (url) => pattern.test(url) };
  } catch {
    return undefined;
  }
}
