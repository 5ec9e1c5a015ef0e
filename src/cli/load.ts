import { ConfigError } from "../config/config-error.ts";
import { type LoadedConfig, loadConfig } from "../config/load.ts";
import { environment } from "../config/process.ts";
import { Failure } from "./failure.ts";

export interface LoadFlags {
  /** `false`: the peers' default files are not looked for. */
  readonly defaultConfig: boolean;
}

/** @throws {Failure} */
export function load(path: string | undefined, flags: LoadFlags): LoadedConfig {
  try {
    return loadConfig({ path, env: environment(), ...(flags.defaultConfig ? {} : { defaults: [] }) });
  } catch (error) {
    throw error instanceof ConfigError ? new Failure(`configuration error: ${error.message}`, { cause: error }) : error;
  }
}
