import { ConfigError } from "../config/config-error.ts";
import { type LoadedConfig, type LoadOptions, loadConfig } from "../config/load.ts";
import { environment } from "../config/process.ts";
import { checkParameters } from "../driver-parameters.ts";
import { Failure } from "./failure.ts";

export interface LoadFlags {
  /** `false`: the peers' default files are not looked for. */
  readonly defaultConfig: boolean;
}

/** @throws {Failure} */
export function load(path: string | undefined, flags: LoadFlags): LoadedConfig {
  try {
    return loadConfig(toLoadOptions(path, flags));
  } catch (error) {
    throw error instanceof ConfigError ? new Failure(sentence(error, path, flags), { cause: error }) : error;
  }
}

export function toLoadOptions(path: string | undefined, { defaultConfig }: LoadFlags): LoadOptions {
  return { path, env: environment(), checkParameters, ...(defaultConfig ? {} : { defaults: [] }) };
}

function sentence({ message, others }: ConfigError, path: string | undefined, { defaultConfig }: LoadFlags): string {
  if (others === 0) return `configuration error: ${message}`;
  const check = ["wharfinger config check", ...(defaultConfig ? [] : ["--no-default-config"]), ...(path ? [path] : [])];
  return `configuration error: ${message} (and ${others} more: run ${check.join(" ")})`;
}
