import { relative, resolve } from "node:path";
import type { TestEvent } from "node:test/reporters";
import { inspect } from "node:util";

/** What a process of the tests said about one test that ended. */
type Ended = Extract<TestEvent, { type: "test:pass" | "test:fail" }>["data"];

/** How much of what a failing file wrote is shown, in lines. */
const SHOWN_OUTPUT = 60;

/** Counts tests, prints a line for each file as it ends, and keeps for the end what failed. */
export class TestReport {
  readonly #print: (line: string) => void;
  readonly #files = new Map<string, FileReport>();

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  /** Whether something ran and nothing failed. */
  get succeeded(): boolean {
    return this.#count("failed") === 0 && this.#count("passed") > 0;
  }

  add({ type, data }: TestEvent): void {
    if (data === undefined || !("file" in data) || data.file === undefined) return;
    const file = this.#file(data.file);
    if (type === "test:stdout" || type === "test:stderr") file.output += data.message;
    if (type === "test:pass" || type === "test:fail") this.#end(file, data);
    if (type === "test:summary") this.#print(file.line(data.duration_ms));
  }

  /** What was skipped, what failed with its errors, and last the counts. */
  closing(): readonly string[] {
    const files = [...this.#files.values()];
    const counts = `${this.#count("passed")} passed, ${this.#count("failed")} failed, ${this.#count("skipped")} skipped`;
    return [
      ...files.flatMap((file) => file.skips.map((one) => `skipped: ${file.path}: ${one}`)),
      ...files.flatMap((file) => file.closing()),
      ...(this.#count("passed") + this.#count("failed") === 0 ? ["no test ran"] : []),
      counts,
    ];
  }

  #end(file: FileReport, ended: Ended): void {
    const isFile = ended.nesting === 0 && resolve(ended.name) === resolve(file.path);
    if (isFile) file.endAsProcess(ended);
    else file.end(ended);
    if (isFile) this.#print(file.line(ended.details.duration_ms));
  }

  #file(path: string): FileReport {
    const name = relative("", resolve(path));
    const file = this.#files.get(name) ?? new FileReport(name);
    this.#files.set(name, file);
    return file;
  }

  #count(kind: "passed" | "failed" | "skipped"): number {
    return [...this.#files.values()].reduce((total, file) => total + file[kind], 0);
  }
}

class FileReport {
  readonly path: string;
  readonly skips: string[] = [];
  passed = 0;
  failed = 0;
  skipped = 0;
  /** What the process wrote to its standard output and error. */
  output = "";
  readonly #failures: string[] = [];

  constructor(path: string) {
    this.path = path;
  }

  end(ended: Ended): void {
    const error = errorOf(ended);
    if (ended.skip !== undefined && ended.skip !== false) this.#skip(ended);
    else if (ended.details.type === "suite" && isOfSubtests(error)) return;
    else if (error === undefined || ended.todo) this.passed += ended.details.type === "suite" ? 0 : 1;
    else this.#fail(ended.name, error);
  }

  /** The runner speaks of the file itself where its process failed or had no test. */
  endAsProcess(ended: Ended): void {
    this.#fail("the file as a whole", errorOf(ended) ?? new Error("there is no test in it"));
  }

  /** @param duration in milliseconds */
  line(duration: number): string {
    const counts = `${this.passed} passed${this.failed > 0 ? `, ${this.failed} FAILED` : ""}`;
    const skipped = this.skipped > 0 ? `, ${this.skipped} skipped` : "";
    return `${this.failed > 0 ? "FAIL" : "ok  "} ${this.path}: ${counts}${skipped} (${(duration / 1000).toFixed(1)} s)`;
  }

  closing(): readonly string[] {
    if (this.failed === 0) return [];
    const output = this.output.trimEnd().split("\n").slice(-SHOWN_OUTPUT);
    return [...this.#failures, ...(this.output === "" ? [] : [`${this.path} wrote:`, ...output.map(indented)])];
  }

  #skip(ended: Ended): void {
    this.skipped += 1;
    this.skips.push(typeof ended.skip === "string" ? `${ended.name} (${ended.skip})` : ended.name);
  }

  #fail(name: string, error: Error): void {
    this.failed += 1;
    if (!isOfSubtests(error)) this.#failures.push(`failed: ${this.path}: ${name}\n${indented(described(error))}`);
  }
}

function errorOf({ details }: Ended): Error | undefined {
  return "error" in details ? details.error : undefined;
}

/** A parent that failed only with what is below it. */
function isOfSubtests(error: Error | undefined): boolean {
  return error !== undefined && "failureType" in error && error.failureType === "subtestsFailed";
}

/** The runner wraps what the test threw. */
function described(error: Error): string {
  const { cause = error.message } = error;
  return typeof cause === "string" ? cause : inspect(cause);
}

function indented(text: string): string {
  return text.replaceAll(/^(?=.)/gm, "  ");
}
