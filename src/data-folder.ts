import { join, resolve } from "node:path";
import type { Config } from "./config/config.ts";

/** Where our own files are on a machine whose storage is elsewhere. */
const DEFAULT = "/var/lib/wharfinger";

/** Where this registry keeps files of its own; nowhere, where not even its storage is kept. */
export function dataFolder({ wharfinger, storage }: Config): string | undefined {
  const { name, parameters } = storage.driver;
  if (wharfinger.datadir !== undefined) return wharfinger.datadir;
  if (name === "filesystem") return join(resolve(String(parameters["rootdirectory"])), "wharfinger");
  return name === "inmemory" ? undefined : DEFAULT;
}
