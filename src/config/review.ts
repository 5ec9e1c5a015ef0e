import { ConfigError } from "./config-error.ts";
import { childKey, classesOf, type KeyNode, keyTree } from "./key-tree.ts";
import { DEPRECATED, type KeyClass } from "./keys.ts";
import { nearestKey } from "./nearest-key.ts";
import { find, type Mapping, Scalar, Sequence, type Tree } from "./tree.ts";

/**
 * Holds a document against the table of keys.
 *
 * @returns warnings: one for each unknown key, one for each deprecated key, one for each section not built yet
 * @throws {ConfigError} for the first key that must not be ignored and cannot be honoured
 */
export function review(root: Mapping): string[] {
  const findings = [...walk(root, [keyTree])];
  for (const { where, sentence } of findings.filter(({ fatal }) => fatal)) throw new ConfigError(where, sentence);
  const firstOfEach = new Map(findings.toReversed().map((finding) => [finding.about, finding]));
  return findings
    .filter((finding) => firstOfEach.get(finding.about) === finding)
    .map(({ where, sentence }) => `${where}: ${sentence}`);
}

interface Finding {
  /** What two findings have in common when one is enough. */
  readonly about: string;
  readonly where: string;
  readonly sentence: string;
  readonly fatal: boolean;
}

/** From the root down to the key at hand. */
type Chain = readonly [...KeyNode[], KeyNode];

function* walk(tree: Tree, chain: Chain): Generator<Finding> {
  const node = chain.at(-1) ?? keyTree;
  if (tree instanceof Scalar) yield* scalar(tree, node, chain);
  else if (tree instanceof Sequence) yield* items(tree, node, chain);
  else if (!isDisabledMiddleware(tree, node)) yield* entries(tree, node, chain);
}

function* items({ items }: Sequence, node: KeyNode, chain: Chain): Generator<Finding> {
  const item = node.item ?? (node.free ? node : undefined);
  for (const tree of item ? items : []) yield* walk(tree, [...chain, item ?? node]);
}

function* entries({ entries }: Mapping, node: KeyNode, chain: Chain): Generator<Finding> {
  for (const [name, tree] of entries) {
    const child = childKey(node, name);
    if (child) yield* walk(tree, [...chain, child]);
    else yield unknown(name, tree.where, node);
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
  const keyClass = node.byValue.get(text.toLowerCase()) ?? node.class;
  if (keyClass === "warned") yield notYet(topmost(chain, keyClass), "and is ignored", where, false);
  if (keyClass === "refused") yield notYet(topmost(chain, keyClass), REFUSAL, where, true);
}

const REFUSAL = "and must not be ignored; take it out to start without it";

function notYet(path: string, consequence: string, where: string, fatal: boolean): Finding {
  return { about: path, where, sentence: `${path} is not supported yet ${consequence}`, fatal };
}

function warning(sentence: string, where: string, about: string): Finding {
  return { about, where, sentence: sentence.replaceAll("[]", ""), fatal: false };
}

/** The section that has nothing in it but keys of this class. */
function topmost(chain: Chain, keyClass: KeyClass): string {
  const section = chain.find((node) => [...classesOf(node)].every((other) => other === keyClass)) ?? chain.at(-1);
  return (section?.path ?? "").replaceAll("[]", "");
}

function isDisabledMiddleware(tree: Mapping, node: KeyNode): boolean {
  const disabled = node.path.startsWith("middleware.") ? find(tree, ["disabled"]) : undefined;
  return disabled instanceof Scalar && disabled.value === true;
}
