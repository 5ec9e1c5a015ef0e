import { ConfigError } from "../config/config-error.ts";
import {
  type ConfigFile,
  findFile,
  type LoadedConfig,
  type LoadOptions,
  loadConfig,
  loadFile,
} from "../config/load.ts";
import { environment } from "../config/process.ts";
import { checkParameters } from "../driver-parameters.ts";
import { Failure } from "./failure.ts";

export interface LoadFlags {
  /** `false`: the peers' default files are not looked for. */
  readonly defaultConfig: boolean;
}

/** @throws {Failure} */
export function load(path: string | undefined, flags: LoadFlags): LoadedConfig {
  return orFail(() => loadConfig(toLoadOptions(path, flags)), path, flags);
}

/**
 * The file that {@link load} would read, for several processes that are to have the same one.
 * @throws {Failure}
 */
export function readFile(path: string | undefined, flags: LoadFlags): ConfigFile | undefined {
  return orFail(() => findFile(toLoadOptions(path, flags)), path, flags);
}

/** @throws {Failure} */
export function loadRead(file: ConfigFile | undefined, path: string | undefined, flags: LoadFlags): LoadedConfig {
  return orFail(() => loadFile(file, toLoadOptions(path, flags)), path, flags);
}

export function toLoadOptions(path: string | undefined, { defaultConfig }: LoadFlags): LoadOptions {
  return { path, env: environment(), checkParameters, ...(defaultConfig ? {} : { defaults: [] }) };
}

function orFail<T>(work: () => T, path: string | undefined, flags: LoadFlags): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof ConfigError ? new Failure(sentence(error, path, flags), { cause: error }) : error;
  }
}

function sentence({ message, others }: ConfigError, path: string | undefined, { defaultConfig }: LoadFlags): string {
  if (others === 0) return `configuration error: ${message}`;
  const check = ["wharfinger config check", ...(defaultConfig ? [] : ["--no-default-config"]), ...(path ? [path] : [])];
  return `configuration error: ${message} (and ${others} more: run ${check.join(" ")})`;
}
