/** Middleware that the configuration lists, put around the storage and the registry in its order, the last one outermost. */
import { readCloudfrontKey } from "./cloudfront-key.ts";
import type {
  CloudfrontParameters,
  Middleware,
  MiddlewareLists,
  RedirectParameters,
  RewriteParameters,
} from "./config/middleware-config.ts";
import { decorate } from "./lib/decorate.ts";
import { importNamed } from "./named-module.ts";
import { parseRepositoryName } from "./oci/names.ts";
import { repositoryWrapper, wrapOwnDriver, wrapOwnRegistry } from "./own-middleware.ts";
import type { Registry, Repository } from "./registry/registry.ts";
import type { StorageDriver } from "./storage/driver.ts";

export interface Surroundings {
  /** From where modules are looked up. */
  readonly folder: string;
  readonly warn: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

/**
 * @returns a driver that owns `driver`
 * @throws {ConfigError} where one of the list cannot be used; `driver` is disposed of then
 */
export async function wrapDriver(
  driver: StorageDriver,
  list: readonly Middleware[],
  { folder, warn }: Surroundings,
): Promise<StorageDriver> {
  await using failed = new AsyncDisposableStack();
  let wrapped = driver;
  failed.defer(() => wrapped[Symbol.asyncDispose]());
  for (const { name, options } of list) {
    const builtIn = BUILT_IN[name];
    wrapped = builtIn
      ? await builtIn(wrapped, options, warn)
      : await wrapOwnDriver(await importNamed(name, folder), wrapped, options);
  }
  failed.move();
  return wrapped;
}

/** The schema has checked the parameters. */
const BUILT_IN: Readonly<
  Record<
    string,
    (driver: StorageDriver, parameters: Middleware["options"], warn: Surroundings["warn"]) => Promise<StorageDriver>
  >
> = {
  cloudfront: async (driver, parameters, warn) => {
    const { privatekey, ...options } = parameters as CloudfrontParameters;
    const { redirectToCloudfront } = await import("./storage/middleware/cloudfront.ts");
    const key = readCloudfrontKey(privatekey, "middleware.storage (cloudfront): options.privatekey");
    return redirectToCloudfront(driver, { ...options, key, warn });
  },
  redirect: async (driver, parameters) => {
    const { redirectToBase } = await import("./storage/middleware/redirect.ts");
    return redirectToBase(driver, parameters as RedirectParameters);
  },
  rewrite: async (driver, parameters) => {
    const { rewriteRedirects } = await import("./storage/middleware/rewrite.ts");
    return rewriteRedirects(driver, parameters as RewriteParameters);
  },
};

/**
 * As in the peers, middleware of repositories lies around what that of the registry gives.
 * @returns a registry that owns `registry`
 * @throws {ConfigError} where one of the lists cannot be used; `registry` is disposed of then
 */
export async function wrapRegistry(
  registry: Registry,
  lists: Omit<MiddlewareLists, "storage">,
  folder: string,
): Promise<Registry> {
  await using failed = new AsyncDisposableStack();
  let wrapped = registry;
  failed.defer(() => wrapped[Symbol.asyncDispose]());
  for (const { name, options } of lists.registry) {
    wrapped = await wrapOwnRegistry(await importNamed(name, folder), wrapped, options);
  }
  for (const { name, options } of lists.repository) {
    wrapped = withRepositories(
      wrapped,
      await repositoryWrapper(await importNamed(name, folder), options, wrapped.repository(PROBE)),
    );
  }
  failed.move();
  return wrapped;
}

/** For middleware to be tried on; nothing is asked of it. */
const PROBE = parseRepositoryName("wharfinger/probe");

function withRepositories(registry: Registry, wrap: (repository: Repository) => Repository): Registry {
  return decorate(registry, { repository: (name) => wrap(registry.repository(name)) });
}
