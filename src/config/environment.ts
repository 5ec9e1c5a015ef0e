import { ConfigError } from "./config-error.ts";
import type { Finding } from "./finding.ts";
import { childKey, type KeyNode, keyTree, namesParts } from "./key-tree.ts";
import { VARIABLE_NAMES } from "./keys.ts";
import { namedPart } from "./rules.ts";
import { isNull, Mapping, Scalar, Sequence, type Tree } from "./tree.ts";
import { parseYaml } from "./yaml-tree.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

const PREFIX = "REGISTRY_";
const NO_KEYS: ReadonlySet<string> = new Set(["REGISTRY_CONFIGURATION_PATH", "REGISTRY_VERSION"]);

/**
 * Puts every `REGISTRY_*` variable into the document, in the order of their names, so that a section comes before its
 * keys and replaces it. `REGISTRY_VERSION` does nothing: the version is a property of the file.
 *
 * @returns one warning for each variable that is no key, one error for each that cannot be applied
 */
export function applyEnvironment(root: Mapping, env: Environment): Finding[] {
  const names = Object.keys(env).filter((name) => name.startsWith(PREFIX) && !NO_KEYS.has(name));
  return names.toSorted().flatMap((name) => {
    const value = env[name];
    return value === undefined ? [] : apply(root, name, value);
  });
}

function apply(root: Mapping, name: string, value: string): Finding[] {
  try {
    return override(root, name, value) ? [] : [unrecognized(name)];
  } catch (error) {
    if (error instanceof ConfigError) return [error.finding];
    throw error;
  }
}

function unrecognized(name: string): Finding {
  const sentence = `ignoring unrecognized environment variable ${name}`;
  return { about: sentence, where: "", sentence, fatal: false };
}

/** @returns whether there is such a key */
function override(root: Mapping, variable: string, value: string): boolean {
  const steps = resolveNames(variable.slice(PREFIX.length).toLowerCase().split("_"));
  if (steps === undefined) return false;
  place(root, steps, parseYaml(value, variable, false));
  return true;
}

interface Step {
  readonly name: string;
  readonly node: KeyNode;
  /** The keys of the container are the operator's own. */
  readonly free: boolean;
}

function resolveNames(names: readonly string[]): readonly Step[] | undefined {
  const steps: Step[] = [];
  let node = keyTree;
  for (const name of names) {
    const step = resolveName(node, name);
    if (step === undefined || name === "") return undefined;
    steps.push(step);
    node = step.node;
  }
  return steps;
}

function resolveName(parent: KeyNode, name: string): Step | undefined {
  if (parent.item) return { name, node: parent.item, free: false };
  const key = VARIABLE_NAMES[`${parent.path}.${name}`] ?? name;
  const node = childKey(parent, key) ?? (namesParts(parent) ? unknownPart(parent, key) : undefined);
  return node && { name: key, node, free: !parent.children.has(key) };
}

function unknownPart(parent: KeyNode, name: string): KeyNode {
  const path = `${parent.path}.${name}`;
  return { ...keyTree, path, children: new Map(), byValue: new Map(), free: true };
}

function place(root: Mapping, steps: readonly Step[], value: Tree): void {
  let container: Mapping | Sequence = root;
  for (const [index, step] of steps.entries()) {
    const key = locate(container, step, value.where);
    if (index === steps.length - 1) put(container, key, value);
    else container = enter(container, key, step, value.where);
  }
}

/** The exact spelling of a key, or the index of an item. */
function locate(container: Mapping | Sequence, { name, free }: Step, variable: string): string | number {
  if (container instanceof Sequence) return toIndex(container, name, variable);
  if (!free) return name;
  return [...container.entries.keys()].find((key) => key.toLowerCase() === name) ?? name;
}

function toIndex(list: Sequence, name: string, variable: string): number {
  const { length } = list.items;
  if (!/^\d+$/.test(name))
    throw new ConfigError(variable, `"${name}" must be the index of a list item, 0 to ${length}`);
  if (Number(name) > length) throw new ConfigError(variable, `undefined index ${name}, must be 0 to ${length}`);
  return Number(name);
}

function put(container: Mapping | Sequence, key: string | number, value: Tree): void {
  if (container instanceof Sequence) container.items[Number(key)] = value;
  else container.entries.set(String(key), value);
}

/** The container at `key`, made where there is none. */
function enter(container: Mapping | Sequence, key: string | number, step: Step, variable: string): Mapping | Sequence {
  const child = container instanceof Sequence ? container.items[Number(key)] : container.entries.get(String(key));
  if (child instanceof Mapping || child instanceof Sequence) return child;
  const entered = step.node.item && isNull(child) ? new Sequence(variable) : toSection(child, step.node, variable);
  put(container, key, entered);
  return entered;
}

function toSection(child: Tree | undefined, node: KeyNode, variable: string): Mapping {
  if (!(child instanceof Scalar) || isNull(child)) return new Mapping(variable);
  if (namesParts(node)) return namedPart(child);
  throw new ConfigError(variable, `there is no such key, because ${node.path} is no section in ${child.where}`);
}
