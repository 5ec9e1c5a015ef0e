import { type Composition, warnIn } from "./composition.ts";
import type { SharedPart } from "./lib/shared-parts.ts";
import { wrapRegistry } from "./middleware.ts";
import type { ManifestKinds } from "./oci/manifest-kinds.ts";
import { PathMapper } from "./registry/paths.ts";
import type { Registry } from "./registry/registry.ts";
import { StorageRegistry } from "./registry/storage-registry.ts";
import { toRegistryOptions } from "./registry-options.ts";
import type { StorageDriver } from "./storage/driver.ts";
import { lent, type OpenDriver, takeCache, takeDriver, takeMemory, takeStorage } from "./stored-parts.ts";

/** Disposal ends the registry, and gives back what it holds in common with others. */
export interface ComposedRegistry extends AsyncDisposable {
  readonly registry: Registry;
  readonly driver: SharedPart<OpenDriver>;
  readonly storage: SharedPart<StorageDriver>;
}

/**
 * @throws {StorageError} in one sentence where the storage cannot be used
 * @throws {ConfigError} where a module or file cannot be used
 */
export async function composeRegistry(composition: Composition, kinds: ManifestKinds): Promise<ComposedRegistry> {
  const { config, folder } = composition;
  await using parts = new AsyncDisposableStack();
  const driver = parts.use(await takeDriver(composition));
  const storage = parts.use(await takeStorage(composition, driver));
  const memory = parts.use(await takeMemory(composition, driver.value.bare.name));
  const cache = parts.use(await takeCache(composition));
  const store = { driver: lent(storage.value), paths: new PathMapper() };
  const ownCache = cache && lent(cache.value);
  const rules = toRegistryOptions(config);
  const stored = new StorageRegistry(store, kinds, rules, warnIn(composition), ownCache, memory.value);
  const registry = parts.use(await wrapRegistry(stored, config.middleware, folder));
  const owned = parts.move();
  return {
    registry,
    driver,
    storage,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
