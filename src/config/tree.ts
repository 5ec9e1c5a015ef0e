/**
 * A YAML document as far as a configuration needs it: every node knows where it was written, and a scalar also how,
 * because `0123` is a number of 83 where a number is wanted and a password of four characters where a text is.
 */
export type Tree = Scalar | Mapping | Sequence;

export class Scalar {
  readonly value: string | number | boolean | null;
  /** As it was written, without quotes. */
  readonly text: string;
  /** `file:line`, or the name of the variable. */
  readonly where: string;

  constructor(value: string | number | boolean | null, text: string, where: string) {
    this.value = value;
    this.text = text;
    this.where = where;
  }
}

export class Mapping {
  readonly entries: Map<string, Tree>;
  readonly where: string;

  constructor(where: string, entries: Iterable<readonly [string, Tree]> = []) {
    this.entries = new Map(entries);
    this.where = where;
  }
}

export class Sequence {
  readonly items: Tree[];
  readonly where: string;

  constructor(where: string, items: readonly Tree[] = []) {
    this.items = [...items];
    this.where = where;
  }
}

export function isNull(tree: Tree | undefined): boolean {
  return tree === undefined || (tree instanceof Scalar && tree.value === null);
}

/** The node at `path`, or the nearest one above it that exists. */
export function nearest(tree: Tree, path: readonly PropertyKey[]): Tree {
  const [first, ...rest] = path;
  const child = first === undefined ? undefined : childOf(tree, first);
  return child === undefined ? tree : nearest(child, rest);
}

/** The node at `path`, where there is one that is not null. */
export function find(tree: Tree, path: readonly PropertyKey[]): Tree | undefined {
  let found: Tree | undefined = tree;
  for (const key of path) found = found && childOf(found, key);
  return isNull(found) ? undefined : found;
}

function childOf(tree: Tree, key: PropertyKey): Tree | undefined {
  if (tree instanceof Mapping) return tree.entries.get(String(key));
  return tree instanceof Sequence ? tree.items[Number(key)] : undefined;
}

/** Objects and arrays around the scalars, nulls in objects left out: what the schema reads. */
export function toInput(tree: Tree): unknown {
  if (tree instanceof Scalar) return tree;
  if (tree instanceof Sequence) return tree.items.map(toInput);
  const known = [...tree.entries].filter(([, value]) => !isNull(value));
  return Object.fromEntries(known.map(([key, value]) => [key, toInput(value)]));
}

/** What YAML makes of a scalar. A number too big to be exact stays text. */
export function plainValue({ value, text }: Scalar): unknown {
  return typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value) ? text : value;
}
