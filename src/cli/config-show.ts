import { showConfig } from "../config/show.ts";
import { type LoadFlags, load } from "./load.ts";

/**
 * Prints the configuration that would count, as YAML.
 * @throws {Failure} where it would be refused
 */
export function printConfig(path: string | undefined, flags: LoadFlags): void {
  const { config, warnings } = load(path, flags);
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
  process.stdout.write(showConfig(config));
}
