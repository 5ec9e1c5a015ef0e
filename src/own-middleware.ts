/** Middleware of the operator's own, as modules export it. */
import { type NamedModule, reasonOf } from "./named-module.ts";
import { DRIVER, lackingOf, REGISTRY, REPOSITORY, type Shape } from "./part-shape.ts";
import type { Registry, Repository } from "./registry/registry.ts";
import type { StorageDriver } from "./storage/driver.ts";

type Options = Readonly<Record<string, unknown>>;

/** @throws {ConfigError} where the module cannot wrap it */
export async function wrapOwnDriver(
  module: NamedModule,
  driver: StorageDriver,
  options: Options,
): Promise<StorageDriver> {
  const wrap = wrapper(module, "wrapDriver");
  return whole<StorageDriver>(module, await attempt(module, "wrapDriver", () => wrap(driver, options)), DRIVER_GIVEN);
}

/** @throws {ConfigError} where the module cannot wrap it */
export async function wrapOwnRegistry(module: NamedModule, registry: Registry, options: Options): Promise<Registry> {
  const wrap = wrapper(module, "wrapRegistry");
  return whole<Registry>(module, await attempt(module, "wrapRegistry", () => wrap(registry, options)), REGISTRY_GIVEN);
}

/**
 * @returns what wraps a repository; it throws what the module throws, or a ConfigError where that gives something else
 * @throws {ConfigError} where the module cannot wrap `probe`
 */
export async function repositoryWrapper(
  module: NamedModule,
  options: Options,
  probe: Repository,
): Promise<(repository: Repository) => Repository> {
  const wrap = wrapper(module, "wrapRepository");
  const { given } = await attempt(module, "wrapRepository", () => ({ given: wrap(probe, options) }));
  whole<Repository>(module, given, REPOSITORY_GIVEN);
  return (repository) => whole<Repository>(module, wrap(repository, options), REPOSITORY_GIVEN);
}

interface Given {
  /** As in `wrapDriver gave no storage driver`. */
  readonly sentence: string;
  readonly shape: Shape;
}

const DRIVER_GIVEN: Given = { sentence: "wrapDriver gave no storage driver", shape: DRIVER };
const REGISTRY_GIVEN: Given = { sentence: "wrapRegistry gave no registry", shape: REGISTRY };
const REPOSITORY_GIVEN: Given = { sentence: "wrapRepository gave no repository", shape: REPOSITORY };

function wrapper({ exports, error }: NamedModule, name: string): (part: unknown, options: Options) => unknown {
  const wrap = exports[name];
  if (typeof wrap !== "function") throw error(`exports no function ${name}`);
  return (part, options) => wrap(part, options);
}

async function attempt<T>({ error }: NamedModule, name: string, wrap: () => T | Promise<T>): Promise<T> {
  try {
    return await wrap();
  } catch (cause) {
    throw error(`${name} failed: ${reasonOf(cause)}`, cause);
  }
}

function whole<T>({ error }: NamedModule, given: unknown, { sentence, shape }: Given): T {
  const lacking = lackingOf(given, shape);
  if (lacking.length > 0) throw error(`${sentence}: it lacks ${lacking.join(", ")}`);
  return given as T;
}
