import { KEYS, type KeyClass } from "./keys.ts";

/** The table of keys as a tree, for walking beside a document. */
export interface KeyNode {
  /** As in the table: `log.hooks[].type`. Empty at the root. */
  readonly path: string;
  readonly children: Map<string, KeyNode>;
  /** What an item of the list looks like; makes this a list. */
  item: KeyNode | undefined;
  /** What any key of the map looks like; makes this a map with keys of the operator's choice. */
  any: KeyNode | undefined;
  class: KeyClass | undefined;
  /** By value, where it matters. */
  readonly byValue: Map<string, KeyClass>;
  /** Nothing is known of what is below. */
  free: boolean;
}

/** Sections whose keys are names of parts: one that we do not know is an error of its own, not an unknown key. */
const NAMES_OF_PARTS: ReadonlySet<string> = new Set(["storage", "auth"]);

export const keyTree: KeyNode = build();

export function namesParts(node: KeyNode): boolean {
  return NAMES_OF_PARTS.has(node.path);
}

/** The row for a key of a mapping, also of a free one. */
export function childKey(node: KeyNode, name: string): KeyNode | undefined {
  return node.children.get(name) ?? node.any ?? (node.free ? node : undefined);
}

/** Every class that occurs at or below `node`. */
export function classesOf(node: KeyNode): ReadonlySet<KeyClass> {
  const own = [...(node.class ? [node.class] : []), ...node.byValue.values()];
  const below = [...node.children.values(), node.item, node.any].filter((child) => child !== undefined);
  return new Set([...own, ...below.flatMap((child) => [...classesOf(child)])]);
}

function build(): KeyNode {
  const root = emptyNode("");
  for (const [row, keyClass] of Object.entries(KEYS)) add(root, row, keyClass);
  return root;
}

function add(root: KeyNode, row: string, keyClass: KeyClass): void {
  const [path = "", value] = row.split("=");
  let node = root;
  for (const step of path.match(/\[\]|[^.[]+/g) ?? []) node = descend(node, step);
  if (path.endsWith(".*")) node.free = true;
  if (value === undefined) node.class = keyClass;
  else node.byValue.set(value, keyClass);
}

function descend(node: KeyNode, step: string): KeyNode {
  if (step === "[]") {
    node.item ??= emptyNode(`${node.path}[]`);
    return node.item;
  }
  const path = node.path === "" ? step : `${node.path}.${step}`;
  if (step === "*") {
    node.any ??= emptyNode(path);
    return node.any;
  }
  const child = node.children.get(step) ?? emptyNode(path);
  node.children.set(step, child);
  return child;
}

function emptyNode(path: string): KeyNode {
  return {
    path,
    children: new Map(),
    item: undefined,
    any: undefined,
    class: undefined,
    byValue: new Map(),
    free: false,
  };
}
