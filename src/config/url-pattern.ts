import { safeRegex } from "safe-regex2";
import { type Field, field } from "./fields.ts";

const FLAGS = /^\(\?([ims]+)\)/;

/**
 * A pattern for the URLs of foreign layers. The peers' engine never backtracks and ours does, so what could keep it busy
 * for long is not accepted, nor what the two would read differently. All flags but `u` are within the source: whoever
 * joins several must give the whole `u` again.
 *
 * @see https://github.com/google/re2/wiki/Syntax
 */
export const urlPattern: Field<RegExp> = field(
  "a regular expression without a repetition inside a repetition, such as ^https://[^/]+\\.example\\.com/, and without what RE2 or JavaScript alone knows",
  ({ text }) => compile(text),
);

function compile(pattern: string): RegExp | undefined {
  const [prefix = "", flags = ""] = FLAGS.exec(pattern) ?? [];
  const source = pattern.slice(prefix.length);
  if (/\[\[:|\(\?<?[=!]|\\[1-9k]/.test(source) || !safeRegex(source)) return undefined;
  try {
    return new RegExp(flags === "" ? source : `(?${flags}:${source})`, "u");
  } catch {
    return undefined;
  }
}
