import { readFileSync } from "node:fs";
import type { Config } from "./config.ts";
import { ConfigError } from "./config-error.ts";
import { applyEnvironment, type Environment } from "./environment.ts";
import { toConfigError } from "./problem.ts";
import { resolve } from "./resolve.ts";
import { review } from "./review.ts";
import { driverName, requireAuth, requireVersion, spellOutParts } from "./rules.ts";
import { schema } from "./schema.ts";
import { type Mapping, toInput } from "./tree.ts";
import { parseYaml } from "./yaml-tree.ts";

export interface LoadOptions {
  /** The file, as the command line names it. */
  readonly path?: string | undefined;
  /** Variables of the process; those that begin with `REGISTRY_` count. */
  readonly env: Environment;
  /** Files to look for, in this order, where neither the command line nor a variable names one. */
  readonly defaults?: readonly string[] | undefined;
}

export interface LoadedConfig {
  readonly config: Config;
  /** One line each: what was ignored, and where it stands. */
  readonly warnings: readonly string[];
  /** The file, or undefined where there was none and the built-in one counts. */
  readonly source: string | undefined;
}

/** Where the images of the peers, 3.x and 2.x, have theirs. */
const DEFAULT_FILES: readonly string[] = ["/etc/distribution/config.yml", "/etc/docker/registry/config.yml"];

const BUILT_IN = {
  name: "built-in configuration",
  text: "{version: 0.1, storage: {filesystem: {rootdirectory: ./data}}, http: {addr: ':5000'}}",
};

/**
 * Reads the configuration: a file, over it the variables, below it the defaults.
 *
 * @throws {ConfigError} for anything that cannot be read or must not be ignored
 */
export function loadConfig({ path, env, defaults = DEFAULT_FILES }: LoadOptions): LoadedConfig {
  const file = readFile(path || env["REGISTRY_CONFIGURATION_PATH"], defaults);
  const { name, text } = file ?? BUILT_IN;
  return { ...parseConfig(text, name, env), source: file?.name };
}

/**
 * @param name what messages call the text
 * @throws {ConfigError}
 */
export function parseConfig(text: string, name: string, env: Environment): Omit<LoadedConfig, "source"> {
  const root = requireVersion(parseYaml(text, name, name !== BUILT_IN.name));
  const ignored = applyEnvironment(root, env);
  spellOutParts(root);
  const driver = driverName(root);
  requireAuth(root);
  const warnings = [...ignored, ...review(root)];
  return { config: validate(root, driver), warnings };
}

function validate(root: Mapping, driver: string): Config {
  const result = schema.safeParse(toInput(root));
  if (!result.success) throw toConfigError(root, result.error.issues);
  return resolve(result.data, driver);
}

interface ConfigFile {
  readonly name: string;
  readonly text: string;
}

function readFile(path: string | undefined, defaults: readonly string[]): ConfigFile | undefined {
  if (path) return { name: path, text: read(path) };
  for (const name of defaults) {
    const text = readIfThere(name);
    if (text !== undefined) return { name, text };
  }
  return undefined;
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw unreadable(path, cause);
  }
}

function read(path: string): string {
  const text = readIfThere(path);
  if (text === undefined) throw new ConfigError(path, "there is no such configuration file");
  return text;
}

function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === "ENOENT" || code === "ENOTDIR";
}

function unreadable(path: string, cause: unknown): ConfigError {
  return new ConfigError(path, `cannot be read (${(cause as NodeJS.ErrnoException).code})`, { cause });
}
