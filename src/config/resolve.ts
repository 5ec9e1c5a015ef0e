import {
  CACHES,
  type Config,
  type EndpointConfig,
  type Middleware,
  type Parameters,
  type StorageConfig,
  type ValidationConfig,
} from "./config.ts";
import type { Endpoint, FileConfig, RedisSection, StorageSection } from "./file-config.ts";
import type { RedisConfig } from "./redis-config.ts";

/**
 * Merges older spellings into the present ones, which win where both are given; lists are joined.
 * @param own the parameters of a driver of the operator's own
 */
export function resolve(file: FileConfig, driver: string, own: Parameters = {}): Config {
  const { loglevel, auth: _none, redis, ...same } = file;
  return {
    ...same,
    log: { ...file.log, level: file.log.level ?? loglevel ?? "info" },
    storage: toStorage(file.storage, driver, own),
    auth: toAuth(file.auth),
    middleware: toMiddleware(file.middleware),
    notifications: { ...file.notifications, endpoints: file.notifications.endpoints.map(toEndpoint) },
    redis: redis && toRedis(redis),
    validation: toValidation(file.validation),
  };
}

function toStorage(section: StorageSection, driver: string, own: Parameters): StorageConfig {
  const { maintenance, redirect, tag, filesystem } = section;
  const { layerinfo, blobdescriptor = layerinfo, ...cache } = section.cache;
  return {
    driver: { name: driver, parameters: driver === "filesystem" ? (filesystem ?? {}) : own },
    maintenance,
    delete: section.delete,
    redirect,
    cache: { ...cache, blobdescriptor: CACHES.find((name) => name === blobdescriptor) },
    tag,
  };
}

function toAuth({ none: _, ...auth }: FileConfig["auth"]): Config["auth"] {
  return auth;
}

function toMiddleware(lists: Config["middleware"]): Config["middleware"] {
  const enabled = (list: readonly Middleware[]): Middleware[] => list.filter(({ disabled }) => !disabled);
  const storage = enabled(lists.storage).map((entry) => (entry.name === "cloudfront" ? toCloudfront(entry) : entry));
  return { registry: enabled(lists.registry), repository: enabled(lists.repository), storage };
}

/** An early release misspelt one of its options. */
function toCloudfront(entry: Middleware): Middleware {
  const { updatefrenquency, ...options } = entry.options;
  const updatefrequency = options["updatefrequency"] ?? updatefrenquency;
  return { ...entry, options: updatefrequency === undefined ? options : withFrequency(options, updatefrequency) };
}

function withFrequency(options: Parameters, updatefrequency: unknown): Parameters {
  return { ...options, updatefrequency };
}

function toEndpoint({ ignoredmediatypes, ...endpoint }: Endpoint): EndpointConfig {
  const mediatypes = [...new Set([...endpoint.ignore.mediatypes, ...ignoredmediatypes])];
  return { ...endpoint, ignore: { ...endpoint.ignore, mediatypes } };
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
