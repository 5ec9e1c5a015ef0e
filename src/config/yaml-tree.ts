import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLError,
  type YAMLMap,
} from "yaml";
import { ConfigError } from "./config-error.ts";
import { Mapping, Scalar, Sequence, type Tree } from "./tree.ts";

/** More than any configuration needs, and few enough that nested aliases cannot exhaust the memory. */
const MOST_NODES = 20_000;
const DEEPEST = 100;

/**
 * Reads YAML 1.1 as the peers do: `on` and `yes` are booleans, merge keys work, a second document is not looked at.
 *
 * @param where the file or the variable
 * @param withLines whether positions are `where:line`, or `where` alone
 * @throws {ConfigError} which quotes nothing of the text, because it may be a secret
 */
export function parseYaml(text: string, where: string, withLines: boolean): Tree {
  const lines = new LineCounter();
  const at = (offset: number): string => (withLines ? `${where}:${lines.linePos(offset).line}` : where);
  const document = parse(text, lines, where);
  const error = document.errors.find(({ code }) => code !== "MULTIPLE_DOCS");
  if (error) throw new ConfigError(at(error.pos[0]), sentence(error, text));
  return new Reader(document, at).read(document.contents, at(0));
}

function parse(text: string, lineCounter: LineCounter, where: string): Document.Parsed {
  try {
    return parseDocument(text, { version: "1.1", lineCounter, prettyErrors: false, logLevel: "silent", customTags });
  } catch (cause) {
    throw new ConfigError(where, "is not YAML that can be read, perhaps because it is nested too deeply", { cause });
  }
}

type Tags = Parameters<
  Extract<NonNullable<Parameters<typeof parseDocument>[1]>["customTags"], (t: never) => unknown>
>[0];

/** Without dates and numbers in base 60, which the peers' library does not have: `1:30` is text. */
function customTags(tags: Tags): Tags {
  return tags.filter((tag) => typeof tag === "string" || (tag.format !== "TIME" && !tag.tag.endsWith(":timestamp")));
}

function sentence(error: YAMLError, text: string): string {
  if (error.code === "DUPLICATE_KEY")
    return `${keyAt(error, text)} stands twice in the same section, but must stand there once`;
  if (error.code === "TAB_AS_INDENT") return "is indented with a tab, but YAML wants spaces";
  const message = error.message.split(/[:\n]/)[0] ?? "";
  const known = /^(?:Unexpected|Unresolved|Invalid|Block scalar|Plain value|Expected)/.test(message)
    ? error.code
    : message;
  return `is not YAML (${known.toLowerCase().replaceAll("_", " ")})`;
}

/** What does not look like a key may be a secret that slipped out of its quotes. */
function keyAt({ pos: [start] }: YAMLError, text: string): string {
  const key = /^["']?([\w-]{1,40})["']?\s*:/.exec(text.slice(start, start + 60))?.[1];
  return key === undefined ? "this key" : `the key ${key}`;
}

class Reader {
  readonly #document: Document.Parsed;
  readonly #at: (offset: number) => string;
  #nodes = 0;

  constructor(document: Document.Parsed, at: (offset: number) => string) {
    this.#document = document;
    this.#at = at;
  }

  read(node: unknown, where: string, depth = 0): Tree {
    if (++this.#nodes > MOST_NODES || depth > DEEPEST)
      throw new ConfigError(where, "holds too many or too deep levels");
    if (isAlias(node)) return this.read(this.#resolve(node, where), where, depth + 1);
    if (isMap(node)) return this.#map(node, where, depth + 1);
    if (isSeq(node))
      return new Sequence(
        where,
        node.items.map((item) => this.read(item, this.#place(item, where), depth + 1)),
      );
    return toScalar(node, where);
  }

  #map(map: YAMLMap, where: string, depth: number): Mapping {
    const own: [string, Tree][] = [];
    const merged: [string, Tree][] = [];
    for (const pair of map.items) {
      const place = this.#place(pair.key, where);
      const value = this.read(pair.value, place, depth);
      if (isMergeKey(pair)) merged.unshift(...mergeable(value, place));
      else own.push([this.#key(pair.key, place), value]);
    }
    return new Mapping(where, [...merged, ...own]);
  }

  #key(key: unknown, where: string): string {
    const node = isAlias(key) ? this.#resolve(key, where) : key;
    if (isScalar(node) || node === null) return toScalar(node, where).text;
    throw new ConfigError(where, "has a list or a map as a key, but a key must be text");
  }

  #resolve(alias: Alias, where: string): Node {
    const node = alias.resolve(this.#document);
    if (node === undefined) throw new ConfigError(where, "refers to an anchor that does not stand before it");
    return node;
  }

  #place(node: unknown, fallback: string): string {
    const offset = (node as Node | null)?.range?.[0];
    return offset === undefined ? fallback : this.#at(offset);
  }
}

function isMergeKey({ key }: Pair): boolean {
  return isScalar(key) && key.source === "<<" && key.type === "PLAIN";
}

/** Later entries win, so the first map of a list comes last. */
function mergeable(value: Tree, where: string): [string, Tree][] {
  if (value instanceof Mapping) return [...value.entries];
  if (value instanceof Sequence) return value.items.toReversed().flatMap((item) => mergeable(item, where));
  throw new ConfigError(where, "is a merge key, which must refer to a map or a list of maps");
}

function toScalar(node: unknown, where: string): Scalar {
  const value = isScalar(node) ? node.value : null;
  const source = isScalar(node) ? node.source : undefined;
  if (value === null || value === undefined) return new Scalar(null, "", where);
  if (typeof value === "string") return new Scalar(value, value, where);
  const text = source ?? String(value);
  return new Scalar(typeof value === "number" || typeof value === "boolean" ? value : text, text, where);
}
