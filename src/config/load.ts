import { readFileSync } from "node:fs";
import { BUILT_IN } from "./built-in.ts";
import type { Config } from "./config.ts";
import { ConfigError } from "./config-error.ts";
import type { Environment } from "./environment.ts";
import { examine } from "./examined.ts";
import { type Finding, toLine } from "./finding.ts";
import type { Locate } from "./located-error.ts";
import type { CheckParameters } from "./parameter-findings.ts";

export interface LoadOptions {
  /** The file, as the command line names it. */
  readonly path?: string | undefined;
  /** Variables of the process; those that begin with `REGISTRY_` count. */
  readonly env: Environment;
  /** Files to look for, in this order, where neither the command line nor a variable names one. */
  readonly defaults?: readonly string[] | undefined;
  /** Asks the driver about its parameters; by default nobody does before it is opened. */
  readonly checkParameters?: CheckParameters | undefined;
}

export interface LoadedConfig {
  readonly config: Config;
  /** One line each: what was ignored, and where it stands. */
  readonly warnings: readonly string[];
  /** For errors of what is opened as the configuration says. */
  readonly locate: Locate;
  /** The file, or undefined where there was none and the built-in one counts. */
  readonly source: string | undefined;
}

/** Where the images of the peers, 3.x and 2.x, have theirs. */
const DEFAULT_FILES: readonly string[] = ["/etc/distribution/config.yml", "/etc/docker/registry/config.yml"];

/** Everything that can be said of a configuration. */
export interface Examination {
  /** Those of variables, then those of the file from its top to its end. */
  readonly findings: readonly Finding[];
  /** The file, also one that cannot be read, or undefined where the built-in one counts. */
  readonly source: string | undefined;
}

/**
 * Reads the configuration: a file, over it the variables, below it the defaults.
 *
 * @throws {ConfigError} for the first thing that cannot be read or must not be ignored
 */
export function loadConfig(options: LoadOptions): LoadedConfig {
  return loadFile(findFile(options), options);
}

/**
 * As {@link loadConfig}, of a file that was read already.
 * @throws {ConfigError}
 */
export function loadFile(
  file: ConfigFile | undefined,
  { env, checkParameters }: Pick<LoadOptions, "env" | "checkParameters">,
): LoadedConfig {
  const { name, text } = file ?? BUILT_IN;
  return { ...parseConfig(text, name, env, checkParameters), source: file?.name };
}

/** Reads the configuration as {@link loadConfig}, and goes on after errors as far as that makes sense. */
export function examineConfig(options: LoadOptions): Examination {
  let source = namedFile(options);
  try {
    const file = findFile(options);
    source = file?.name;
    const { name, text } = file ?? BUILT_IN;
    return { findings: examine(text, name, options.env, options.checkParameters).findings, source };
  } catch (error) {
    if (error instanceof ConfigError) return { findings: [error.finding], source };
    throw error;
  }
}

/**
 * @param name what messages call the text
 * @throws {ConfigError}
 */
export function parseConfig(
  text: string,
  name: string,
  env: Environment,
  check?: CheckParameters,
): Omit<LoadedConfig, "source"> {
  const { config, findings, locate } = examine(text, name, env, check);
  const [first, ...others] = findings.filter(({ fatal }) => fatal);
  if (first) throw new ConfigError(first.where, first.sentence, { others: others.length });
  if (config === undefined) throw new ConfigError(name, "is no configuration");
  return { config, warnings: findings.map(toLine), locate };
}

/** As it was read at a moment. */
export interface ConfigFile {
  readonly name: string;
  readonly text: string;
}

function namedFile({ path, env }: LoadOptions): string | undefined {
  return path || env["REGISTRY_CONFIGURATION_PATH"];
}

/**
 * @returns undefined where there is none, and the built-in configuration counts
 * @throws {ConfigError}
 */
export function findFile(options: LoadOptions): ConfigFile | undefined {
  const { defaults = DEFAULT_FILES } = options;
  const path = namedFile(options);
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
