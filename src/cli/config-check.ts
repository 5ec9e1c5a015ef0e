import { toLine } from "../config/finding.ts";
import { examineConfig } from "../config/load.ts";
import { Failure } from "./failure.ts";
import { type LoadFlags, toLoadOptions } from "./load.ts";

/**
 * Prints a line for everything that would be refused or ignored.
 * @throws {Failure} with their numbers, where the configuration would be refused
 */
export function checkConfig(path: string | undefined, flags: LoadFlags): void {
  const { findings, source = "the built-in configuration" } = examineConfig(toLoadOptions(path, flags));
  for (const finding of findings) process.stderr.write(`${finding.fatal ? "error" : "warning"}: ${toLine(finding)}\n`);
  const errors = findings.filter(({ fatal }) => fatal).length;
  if (errors > 0)
    throw new Failure(`${source}: ${counted(errors, "error")}, ${counted(findings.length - errors, "warning")}`);
  process.stdout.write(`${source} is valid\n`);
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
