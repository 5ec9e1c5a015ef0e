import { type LoadFlags, load } from "./load.ts";

/** @throws {Failure} for a configuration that would be refused */
export function checkConfig(path: string | undefined, flags: LoadFlags): void {
  const { warnings, source } = load(path, flags);
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
  process.stdout.write(`${source ?? "the built-in configuration"} is valid\n`);
}
