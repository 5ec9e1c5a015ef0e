import type { Finding } from "./finding.ts";
import { nearestKey } from "./nearest-key.ts";
import { STORAGE_OPTIONS } from "./schema-middleware.ts";
import { find, Mapping, Scalar, Sequence, type Tree } from "./tree.ts";

const DEPRECATED: ReadonlyMap<string, string> = new Map([["updatefrenquency", "updatefrequency"]]);
const DURATIONS: ReadonlySet<string> = new Set(["duration", "updatefrequency", "updatefrenquency"]);

/** Options of the storage middleware that is built in which do not do what they seem to. */
export function optionFindings(root: Mapping): Finding[] {
  const list = find(root, ["middleware", "storage"]);
  return list instanceof Sequence ? list.items.flatMap(ofEntry) : [];
}

function ofEntry(entry: Tree): Finding[] {
  const [name, options, disabled] = ["name", "options", "disabled"].map((key) => find(entry, [key]));
  const known = name instanceof Scalar ? STORAGE_OPTIONS.get(name.text) : undefined;
  if (!known || !(options instanceof Mapping) || (disabled instanceof Scalar && disabled.value === true)) return [];
  return [...options.entries].flatMap(([key, value]) => ofOption(key, value, known));
}

function ofOption(key: string, value: Tree, known: readonly string[]): Finding[] {
  const path = `middleware.storage.options.${key}`;
  if (!known.includes(key)) return [warning(unknown(key, known), value)];
  const replacement = DEPRECATED.get(key);
  return [
    ...(replacement ? [warning(`${path} is deprecated, use ${replacement}`, value)] : []),
    ...(DURATIONS.has(key) && isIgnored(value)
      ? [warning(`${path} is no text such as 20m, and is ignored, as by the peers`, value)]
      : []),
  ];
}

function unknown(key: string, known: readonly string[]): string {
  const near = nearestKey(key, known);
  const shown = /^[\w-]{1,40}$/.test(key) ? key : "(name not shown)";
  const suggestion = near ? `, did you mean ${near}?` : "";
  return `unknown key middleware.storage.options.${shown} is ignored${suggestion}`;
}

function isIgnored(value: Tree): boolean {
  return value instanceof Scalar && typeof value.value !== "string" && value.value !== null;
}

function warning(sentence: string, { where }: Tree): Finding {
  return { about: `${where} ${sentence}`, where, sentence, fatal: false };
}
