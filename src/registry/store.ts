import type { StorageDriver } from "../storage/driver.ts";
import type { PathMapper } from "./paths.ts";

/** Bytes, and where among them everything lies. */
export interface Store {
  readonly driver: StorageDriver;
  readonly paths: PathMapper;
}
