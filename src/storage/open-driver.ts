import type { Proxies } from "../lib/proxy-variables.ts";
import type { StorageDriver } from "./driver.ts";

export interface DriverAccess {
  /** Whether anything will be written. */
  readonly writable: boolean;
  /** Takes a line for the log, where the parameters ask for more than usual. */
  readonly debug?: (line: string) => void;
  /** As the environment names them, not checked. None where not set. */
  readonly proxies?: Proxies;
}

/**
 * What a module that a configuration names as its storage exports as `openDriver`.
 * @param parameters what stands under the name, as YAML has it; nothing in it is checked
 */
export type OpenDriver = (
  parameters: Readonly<Record<string, unknown>>,
  access: DriverAccess,
) => StorageDriver | Promise<StorageDriver>;
