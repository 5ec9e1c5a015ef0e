import type { Node } from "oxc-parser";
import { lineAt, nodesOf, nodesOfSource, type Sources } from "../syntax.ts";

/** What the rules need to know of one source file. */
export interface Module {
  readonly path: string;
  readonly lines: number;
  /** Static, dynamic and type imports and re-exports, as written. */
  readonly imports: readonly Import[];
  /** Members of `process` that it uses, by whatever way: `env`, `exit` … */
  readonly processMembers: ReadonlySet<string>;
  readonly hasDefaultExport: boolean;
  /** Whether it hands on what another module exports. */
  readonly reexports: boolean;
}

export interface Import {
  /** Undefined where it is no literal. */
  readonly specifier: string | undefined;
  readonly line: number;
}

export function readModules(sources: Sources): readonly Module[] {
  return Object.entries(sources).map(([path, text]) => readModule(path, text));
}

function readModule(path: string, text: string): Module {
  const nodes = nodesOfSource(path, text);
  return {
    path,
    lines: lineAt(text, text.length) - (text.endsWith("\n") ? 1 : 0),
    imports: nodes.flatMap((node) => importOf(node, text)),
    processMembers: new Set(nodes.flatMap(processMembers)),
    hasDefaultExport: nodes.some(isDefaultExport),
    reexports: hasReexport(nodes),
  };
}

function importOf(node: Node, text: string): readonly Import[] {
  const from = importedNode(node);
  return from ? [{ specifier: literalOf(from), line: lineAt(text, node.start) }] : [];
}

function importedNode(node: Node): Node | null | undefined {
  switch (node.type) {
    case "ImportDeclaration":
    case "ExportAllDeclaration":
    case "ExportNamedDeclaration":
    case "ImportExpression":
    case "TSImportType":
      return node.source;
    case "TSExternalModuleReference":
      return node.expression;
    case "CallExpression":
      return isLoader(node.callee) ? (node.arguments[0] ?? node) : undefined;
    default:
      return undefined;
  }
}

/** `require(…)`, `import.meta.resolve(…)`. */
function isLoader(callee: Node): boolean {
  if (callee.type !== "MemberExpression") return textOf(callee) === "require";
  return callee.object.type === "MetaProperty" && textOf(callee.property) === "resolve";
}

function processMembers(node: Node): readonly string[] {
  if (node.type === "MemberExpression") return isProcess(node.object) ? names(node.property) : [];
  if (node.type === "VariableDeclarator") return node.init && isProcess(node.init) ? propertiesOf(node.id) : [];
  if (node.type !== "ImportDeclaration" || !/^(node:)?process$/.test(node.source.value)) return [];
  return node.specifiers.flatMap((one) => (one.type === "ImportSpecifier" ? names(one.imported) : []));
}

/** `process`, `globalThis.process`. */
function isProcess(node: Node): boolean {
  return textOf(node.type === "MemberExpression" ? node.property : node) === "process";
}

function propertiesOf(pattern: Node): readonly string[] {
  return [...nodesOf(pattern)].flatMap((one) => (one.type === "Property" ? names(one.key) : []));
}

function isDefaultExport(node: Node): boolean {
  if (node.type === "ExportSpecifier") return textOf(node.exported) === "default";
  return node.type === "ExportDefaultDeclaration" || node.type === "TSExportAssignment";
}

/** `export … from`, or `export { … }` of a name that was imported. */
function hasReexport(nodes: readonly Node[]): boolean {
  const imported = new Set(nodes.flatMap((node) => (node.type === "ImportDeclaration" ? localNames(node) : [])));
  return nodes.some((node) => {
    if (node.type === "ExportAllDeclaration") return true;
    if (node.type !== "ExportNamedDeclaration") return false;
    return node.source !== null || node.specifiers.some((one) => imported.has(textOf(one.local) ?? ""));
  });
}

function localNames(node: Extract<Node, { type: "ImportDeclaration" }>): readonly string[] {
  return node.specifiers.map((one) => one.local.name);
}

function names(node: Node): readonly string[] {
  return [textOf(node) ?? []].flat();
}

/** The name or the text that is written out there. */
function textOf(node: Node): string | undefined {
  return node.type === "Identifier" ? node.name : literalOf(node);
}

function literalOf(node: Node): string | undefined {
  if (node.type === "Literal") return typeof node.value === "string" ? node.value : undefined;
  return node.type === "TemplateLiteral" && node.expressions.length === 0 ? node.quasis[0]?.value.raw : undefined;
}
