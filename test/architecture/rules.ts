import { posix } from "node:path";
import type { Import, Module } from "./module.ts";

/**
 * Who may import what. A key is a folder of src/, or a file of it: a file in a folder has the rights of its folder and
 * its own. Within its own folder everyone may import.
 */
export type Table = Readonly<Record<string, Rights>>;

export interface Rights {
  /** Folders, or single files of them. */
  readonly sources: readonly string[];
  readonly packages: readonly string[];
  /** Modules of Node, as `node:fs`; all when not given. */
  readonly node?: readonly string[];
  /** Whether this file, where the row is a file's, may import what is only known when it runs. */
  readonly unwritten?: boolean;
}

interface Target {
  readonly kind: "source" | "package" | "node" | "wrong";
  readonly name: string;
}

const LONGEST_FILE = 300;

/** Everything in these modules of src/ that breaks a rule, a sentence each. Tests may import what they like. */
export function findings(modules: readonly Module[], table: Table): readonly string[] {
  const sources = modules.filter((module) => !isTest(module.path));
  return [
    ...modules.flatMap((module) => moduleFindings(module, table)),
    ...sources.flatMap((module) => sourceFindings(module, table)),
    ...cycles(sources),
    ...unusedRights(sources, table),
  ];
}

function moduleFindings(module: Module, table: Table): readonly string[] {
  const { path } = module;
  const wrong = module.imports.filter((one) => targetOf(path, one).kind === "wrong");
  return [
    ...(module.hasDefaultExport ? [`${path}: a default export`] : []),
    ...(module.reexports && path !== "index.ts" ? [`${path}: re-exports; only index.ts is a barrel`] : []),
    ...wrong.filter((one) => !(isUnwritten(one) && table[path]?.unwritten)).map((one) => wrongImport(path, one)),
  ];
}

function isUnwritten({ specifier }: Import): boolean {
  return specifier === undefined;
}

function wrongImport(path: string, { specifier, line }: Import): string {
  if (specifier === undefined) return `${path}:${line}: imports something that is not written out`;
  return `${path}:${line}: imports "${specifier}", which does not end in .ts`;
}

function sourceFindings(module: Module, table: Table): readonly string[] {
  const { path, processMembers } = module;
  const rights = rightsOf(path, table);
  if (rights.length === 0) return [`${path}: no row of the table`];
  const refused = module.imports.filter((one) => !isAllowed(path, targetOf(path, one), rights));
  return [
    ...refused.map((one) => `${path}:${one.line}: may not import ${targetOf(path, one).name}`),
    ...(module.lines > LONGEST_FILE ? [`${path}: ${module.lines} lines, more than ${LONGEST_FILE}`] : []),
    ...(processMembers.has("env") && !path.startsWith("config/") ? [`${path}: process.env outside config/`] : []),
    ...(processMembers.has("exit") && path !== "main.ts" ? [`${path}: process.exit outside main.ts`] : []),
  ];
}

function rightsOf(path: string, table: Table): readonly Rights[] {
  return [...new Set([path, unitOf(path)])].flatMap((key) => table[key] ?? []);
}

function isAllowed(path: string, target: Target, rights: readonly Rights[]): boolean {
  if (target.kind === "wrong") return true;
  if (target.kind === "package") return rights.some((one) => one.packages.includes(target.name));
  if (target.kind === "node") return rights.some((one) => one.node?.includes(target.name) ?? true);
  if (isTest(target.name) || target.name.startsWith("..")) return false;
  return isOwn(path, target.name) || rights.some((one) => one.sources.some((entry) => covers(entry, target.name)));
}

function isOwn(path: string, imported: string): boolean {
  return path.includes("/") && unitOf(path) === unitOf(imported);
}

function covers(entry: string, path: string): boolean {
  return entry === path || entry === unitOf(path);
}

/** The folder of src/ that holds it; the file itself where it stands in none. */
function unitOf(path: string): string {
  return path.split("/")[0] ?? path;
}

function targetOf(path: string, { specifier }: Import): Target {
  if (specifier === undefined) return { kind: "wrong", name: "" };
  if (specifier.startsWith("node:")) return { kind: "node", name: specifier };
  if (!/^[./]/.test(specifier)) return { kind: "package", name: packageOf(specifier) };
  if (!specifier.endsWith(".ts")) return { kind: "wrong", name: specifier };
  return { kind: "source", name: posix.join(posix.dirname(path), specifier) };
}

function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

function isTest(path: string): boolean {
  return path.endsWith(".test.ts");
}

/** Each way round on which a module imports itself, types included. */
function cycles(modules: readonly Module[]): readonly string[] {
  const imports = new Map(modules.map((module) => [module.path, importedPaths(module)]));
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) found.push(`a cycle: ${[...trail.slice(start), path].join(" -> ")}`);
    if (start >= 0 || done.has(path)) return;
    for (const next of imports.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of imports.keys()) visit(path, []);
  return found;
}

function importedPaths(module: Module): readonly string[] {
  const targets = module.imports.map((one) => targetOf(module.path, one));
  return targets.filter((target) => target.kind === "source").map((target) => target.name);
}

function unusedRights(modules: readonly Module[], table: Table): readonly string[] {
  return Object.entries(table).flatMap(([key, rights]) => {
    const holders = modules.filter((module) => covers(key, module.path));
    if (holders.length === 0) return [`${key}: a row of the table without a source`];
    const targets = holders.flatMap((module) => module.imports.map((one) => targetOf(module.path, one)));
    const used = (entry: string): boolean => targets.some((target) => target.name !== "" && covers(entry, target.name));
    const packages = [...rights.packages, ...(rights.node ?? [])];
    const unused = [
      ...rights.sources.filter((entry) => !used(entry)),
      ...packages.filter((name) => !targets.some((target) => target.name === name)),
      ...(rights.unwritten && !holders.some((module) => isLoader(module, key)) ? ["what is not written out"] : []),
    ];
    return unused.map((entry) => `${key}: nothing in it imports ${entry} any more`);
  });
}

function isLoader({ path, imports }: Module, key: string): boolean {
  return path === key && imports.some(isUnwritten);
}
