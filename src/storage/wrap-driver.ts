import type { StorageDriver } from "./driver.ts";

/**
 * What a module that a configuration names under `middleware.storage` exports as `wrapDriver`. Whoever wraps a driver owns
 * it: disposal of the result disposes of it.
 * @param options as YAML has them; nothing in them is checked
 */
export type WrapDriver = (
  driver: StorageDriver,
  options: Readonly<Record<string, unknown>>,
) => StorageDriver | Promise<StorageDriver>;
