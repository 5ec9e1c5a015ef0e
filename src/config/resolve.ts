import {
  type AuthConfig,
  CACHES,
  type Config,
  type EndpointConfig,
  type Parameters,
  type StorageConfig,
  type ValidationConfig,
} from "./config.ts";
import type { Endpoint, FileConfig, RedisSection, StorageSection } from "./file-config.ts";
import type { Middleware, MiddlewareLists } from "./middleware-config.ts";
import type { RedisConfig } from "./redis-config.ts";

/**
 * Merges older spellings into the present ones, which win where both are given; lists are joined.
 * @param own the parameters of a driver of the operator's own
 * @param access a controller of the operator's own
 */
export function resolve(file: FileConfig, driver: string, own: Parameters = {}, access?: AuthConfig["own"]): Config {
  const { loglevel, auth: _none, redis, ...same } = file;
  return {
    ...same,
    log: { ...file.log, level: file.log.level ?? loglevel ?? "info" },
    storage: toStorage(file.storage, driver, own),
    auth: access ? { own: access } : toAuth(file.auth),
    middleware: toMiddleware(file.middleware),
    notifications: { ...file.notifications, endpoints: file.notifications.endpoints.map(toEndpoint) },
    redis: redis && toRedis(redis),
    validation: toValidation(file.validation),
  };
}

function toStorage(section: StorageSection, driver: string, own: Parameters): StorageConfig {
  const { maintenance, redirect, tag } = section;
  const { layerinfo, blobdescriptor = layerinfo, ...cache } = section.cache;
  return {
    driver: { name: driver, parameters: parametersOf(section, driver) ?? own },
    maintenance,
    delete: section.delete,
    redirect,
    cache: { ...cache, blobdescriptor: CACHES.find((name) => name === blobdescriptor) },
    tag,
  };
}

export function parametersOf(section: StorageSection, driver: string): Parameters | undefined {
  const { filesystem, s3, s3aws } = section;
  const known: Readonly<Record<string, Parameters | undefined>> = { filesystem, s3, s3aws };
  return known[driver];
}

function toAuth({ none: _, ...auth }: FileConfig["auth"]): Config["auth"] {
  return auth;
}

function toMiddleware(lists: MiddlewareLists): MiddlewareLists {
  const enabled = (list: readonly Middleware[]): Middleware[] => list.filter(({ disabled }) => !disabled);
  const { registry, repository, storage } = lists;
  return { registry: enabled(registry), repository: enabled(repository), storage: enabled(storage) };
}

function toEndpoint({ ignoredmediatypes, ...endpoint }: Endpoint): EndpointConfig {
  const mediatypes = [...new Set([...endpoint.ignore.mediatypes, ...ignoredmediatypes])];
  const { timeout, threshold, backoff, ignore } = endpoint;
  return {
    ...endpoint,
    timeout: timeout || 1000,
    threshold: threshold > 0 ? threshold : 10,
    backoff: backoff || 1000,
    ignore: { ...ignore, mediatypes },
  };
}

function toRedis({ addr, pool, ...redis }: RedisSection): RedisConfig {
  return {
    ...redis,
    addrs: redis.addrs.length === 0 && addr !== undefined ? [addr] : redis.addrs,
    maxidleconns: redis.maxidleconns ?? pool.maxidle,
    poolsize: redis.poolsize ?? pool.maxactive,
    maxactiveconns: redis.maxactiveconns ?? pool.maxactive,
    connmaxidletime: redis.connmaxidletime ?? pool.idletimeout,
  };
}

function toValidation({ enabled, disabled, manifests }: FileConfig["validation"]): ValidationConfig {
  return { disabled: disabled && enabled !== true, manifests };
}
