import { isExternalUrl } from "./external-url.ts";
import type { Finding } from "./finding.ts";
import { childKey, classesOf, type KeyNode, keyTree, namesParts } from "./key-tree.ts";
import { DEPRECATED, DURATIONS, type KeyClass } from "./keys.ts";
import { nearestKey } from "./nearest-key.ts";
import { reasonFor } from "./reasons.ts";
import { type Mapping, Scalar, Sequence, type Tree } from "./tree.ts";

/**
 * Holds a document against the table of keys.
 *
 * @returns warnings of unknown keys, of deprecated keys, of keys that are ignored and of values that hardly mean what
 * they say; errors for what must not be ignored and cannot be honoured. Several may be about the same.
 */
export function review(root: Mapping): Finding[] {
  return [...walk(root, [keyTree])];
}

/** From the root down to the key at hand. */
type Chain = readonly [...KeyNode[], KeyNode];

function* walk(tree: Tree, chain: Chain): Generator<Finding> {
  const node = chain.at(-1) ?? keyTree;
  if (tree instanceof Scalar) yield* scalar(tree, node, chain);
  else if (tree instanceof Sequence) yield* items(tree, node, chain);
  else yield* entries(tree, node, chain);
}

function* items({ items }: Sequence, node: KeyNode, chain: Chain): Generator<Finding> {
  const item = node.item ?? (node.free ? node : undefined);
  for (const tree of item ? items : []) yield* walk(tree, [...chain, item ?? node]);
}

function* entries({ entries }: Mapping, node: KeyNode, chain: Chain): Generator<Finding> {
  for (const [name, tree] of entries) {
    const child = childKey(node, name);
    if (child) yield* walk(tree, [...chain, child]);
    else if (!namesParts(node)) yield unknown(name, tree.where, node);
  }
}

function unknown(name: string, where: string, parent: KeyNode): Finding {
  const path = (key: string): string => (parent.path === "" ? key : `${parent.path.replaceAll("[]", "")}.${key}`);
  const near = nearestKey(name, parent.children.keys());
  const suggestion = near ? `, did you mean ${path(near)}?` : "";
  const sentence = `unknown key ${path(showKey(name))} is ignored${suggestion}`;
  return { about: `${where} ${path(name)}`, where, sentence, fatal: false };
}

/** What does not look like a key may be a secret that slipped out of its quotes. */
function showKey(name: string): string {
  return /^[\w-]{1,40}$/.test(name) ? name : "(name not shown)";
}

function* scalar({ value, text, where }: Scalar, node: KeyNode, chain: Chain): Generator<Finding> {
  if (value === null || value === false || value === "") return;
  const path = node.path.replace(/\[\]$/, "");
  const replacement = DEPRECATED[path];
  if (replacement) yield warning(`${path} is deprecated, use ${replacement}`, where, `deprecated ${path}`);
  if (DURATIONS.has(node.path)) yield* shortTime(path, value, where);
  if (path === "http.host" && !isExternalUrl(text)) yield warning(NO_URL, where, NO_URL);
  const keyClass = node.byValue.get(text.toLowerCase()) ?? node.class;
  if (keyClass === "warned" || keyClass === "refused") yield notHonoured(topmost(chain, keyClass), keyClass, where);
}

const NO_URL =
  "http.host is no URL with scheme and host, such as https://registry.example.com, and is ignored, as by the peers";

/** Less than a millisecond without a unit: whoever wrote it was probably thinking of seconds. */
function* shortTime(path: string, value: unknown, where: string): Generator<Finding> {
  if (typeof value !== "number" || !Number.isInteger(value) || value <= 0 || value >= 1e6) return;
  const meaning = `${path} is ${value} without a unit, which means ${value} nanoseconds`;
  yield warning(`${meaning}; write ${value}s for seconds, or ${value}ns if that is meant`, where, `${where} ${path}`);
}

function notHonoured(path: string, keyClass: "warned" | "refused", where: string): Finding {
  const reason = reasonFor(path) ?? "it is not built yet";
  const fatal = keyClass === "refused";
  const sentence = fatal
    ? `${path} is refused: ${reason}; take it out to start without it`
    : `${path} is ignored: ${reason}`;
  return { about: path, where, sentence, fatal };
}

function warning(sentence: string, where: string, about: string): Finding {
  return { about, where, sentence: sentence.replaceAll("[]", ""), fatal: false };
}

/** The section that has nothing in it but keys of this class. */
function topmost(chain: Chain, keyClass: KeyClass): string {
  const section = chain.find((node) => [...classesOf(node)].every((other) => other === keyClass)) ?? chain.at(-1);
  return (section?.path ?? "").replaceAll("[]", "");
}
