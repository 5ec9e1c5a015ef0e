import { type Node, parseSync, visitorKeys } from "oxc-parser";

/** Text by path; paths are relative and use `/`. */
export type Sources = Readonly<Record<string, string>>;

/**
 * Every node of this source, parents first; offsets are in UTF-16 units. A node for which `enter` says no is left out
 * with all below it.
 * @throws {Error} when it does not parse
 */
export function nodesOfSource(
  path: string,
  text: string,
  enter: (node: Node) => boolean = () => true,
): readonly Node[] {
  const { program, errors } = parseSync(path, text);
  if (errors[0] !== undefined) throw new Error(`${path}: ${errors[0].message}`);
  return [...nodesOf(program, enter)];
}

/** Every node below this one, parents first. */
export function* nodesOf(node: Node, enter: (node: Node) => boolean = () => true): Generator<Node> {
  const children = (visitorKeys[node.type] ?? []).flatMap((key) => Reflect.get(node, key) as Node | readonly Node[]);
  for (const child of children) {
    if (!child || !enter(child)) continue;
    yield child;
    yield* nodesOf(child, enter);
  }
}

/** Whether this node is gone, or does nothing of its own, once the types are stripped. */
export function isErased(node: Node): boolean {
  return MODULE_LINKS.has(node.type) || (node.type.startsWith("TS") && !EXPRESSIONS.has(node.type));
}

const MODULE_LINKS: ReadonlySet<Node["type"]> = new Set(["ImportDeclaration", "ExportAllDeclaration"]);

/** Expressions with a type beside what runs. */
const EXPRESSIONS: ReadonlySet<Node["type"]> = new Set([
  "TSAsExpression",
  "TSInstantiationExpression",
  "TSNonNullExpression",
  "TSSatisfiesExpression",
]);

/** The number of the line, from 1, on which this offset lies. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}
