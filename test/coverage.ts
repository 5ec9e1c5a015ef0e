/**
 * Coverage of lines, from what every process of the tests left in one folder (NODE_V8_COVERAGE).
 *
 * A line counts when, its types stripped, a node of the syntax tree begins on it; imports and lone brackets do not. It
 * is covered when in any one process the first such node ran. Node strips types in place, so V8's offsets are the
 * source's.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Node } from "oxc-parser";
import { isErased, lineAt, nodesOfSource, type Sources } from "./syntax.ts";

export interface FileCoverage {
  readonly path: string;
  /** How many lines of code it has. */
  readonly lines: number;
  /** Numbers of those that never ran, from 1, ascending. */
  readonly missed: readonly number[];
}

/** What V8 writes for a process. */
export interface ProcessCoverage {
  readonly result: readonly ScriptCoverage[];
}

export interface ScriptCoverage {
  readonly url: string;
  readonly functions: readonly { readonly ranges: readonly CoveredRange[] }[];
}

interface CoveredRange {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}

/** The offset at which the code of each line begins, by line number. */
type CodeLines = ReadonlyMap<number, number>;

/**
 * @param folder where the processes wrote
 * @param root the folder to which the paths of the sources are relative
 */
export async function readCoverage(folder: string, root: string, sources: Sources): Promise<readonly FileCoverage[]> {
  const coverage = new Coverage(root, sources);
  for (const name of await readdir(folder)) {
    coverage.add(JSON.parse(await readFile(join(folder, name), "utf8")));
  }
  return coverage.files();
}

export class Coverage {
  readonly #code: ReadonlyMap<string, CodeLines>;
  readonly #pathByUrl: ReadonlyMap<string, string>;
  readonly #covered: ReadonlyMap<string, Set<number>>;

  constructor(root: string, sources: Sources) {
    const paths = Object.keys(sources);
    this.#code = new Map(Object.entries(sources).map(([path, text]) => [path, codeLines(path, text)]));
    this.#pathByUrl = new Map(paths.map((path) => [pathToFileURL(join(root, path)).href, path]));
    this.#covered = new Map(paths.map((path) => [path, new Set()]));
  }

  add(process: ProcessCoverage): void {
    for (const script of process.result) {
      const path = this.#pathByUrl.get(script.url);
      if (path !== undefined) this.#addScript(path, script);
    }
  }

  files(): readonly FileCoverage[] {
    return [...this.#code].map(([path, code]) => {
      const covered = this.#covered.get(path);
      return { path, lines: code.size, missed: [...code.keys()].filter((line) => !covered?.has(line)) };
    });
  }

  #addScript(path: string, script: ScriptCoverage): void {
    const ranges = script.functions.flatMap((one) => one.ranges);
    for (const [line, offset] of this.#code.get(path) ?? []) {
      if (hasRun(ranges, offset)) this.#covered.get(path)?.add(line);
    }
  }
}

function codeLines(path: string, text: string): CodeLines {
  const nodes = nodesOfSource(path, text, (node) => !isErased(node));
  const lines = new Map<number, number>();
  for (const { start } of nodes.filter(isCode).sort((a, b) => a.start - b.start)) {
    const line = lineAt(text, start);
    if (!lines.has(line)) lines.set(line, start);
  }
  return lines;
}

/** An `export` of what is erased leaves nothing. */
function isCode(node: Node): boolean {
  return node.type !== "ExportNamedDeclaration" || (node.declaration !== null && !isErased(node.declaration));
}

/** The narrowest range that holds the offset decides. */
function hasRun(ranges: readonly CoveredRange[], offset: number): boolean {
  const holding = ranges.filter((range) => range.startOffset <= offset && offset < range.endOffset);
  const narrowest = holding.sort((a, b) => width(a) - width(b))[0];
  return narrowest !== undefined && narrowest.count > 0;
}

function width(range: CoveredRange): number {
  return range.endOffset - range.startOffset;
}
