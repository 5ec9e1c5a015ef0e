/** What the configuration can name, loaded when it is named. */
import type { AccessController } from "./auth/access-controller.ts";
import { UnusableValue } from "./auth/unusable-value.ts";
import { type DescriptorCache, SHARED_LIFETIME } from "./cache/descriptor-cache.ts";
import type { RedisOptions } from "./cache/open-redis.ts";
import type { AuthConfig, CacheName, Config, ControllerName, DriverConfig } from "./config/config.ts";
import { ConfigError } from "./config/config-error.ts";
import { isSpecifier } from "./config/specifier.ts";
import { importNamed, reasonOf } from "./named-module.ts";
import { openOwnAccess } from "./own-access.ts";
import { openOwnDriver } from "./own-parts.ts";
import { readRedisTls } from "./redis-tls.ts";
import type { StorageDriver } from "./storage/driver.ts";
import type { DriverAccess, OpenDriver } from "./storage/open-driver.ts";

const s3: OpenDriver = async (parameters, { debug, proxies }) => {
  const { openS3 } = await import("./storage/s3.ts");
  return await openS3(parameters, { ...(debug && { debug }), ...(proxies && { proxies }) });
};

const DRIVERS: Readonly<Record<string, OpenDriver>> = {
  filesystem: async ({ rootdirectory }, { writable }) => {
    const { openFilesystem } = await import("./storage/filesystem.ts");
    return await openFilesystem({ rootdirectory: String(rootdirectory), writable });
  },
  inmemory: async () => {
    const { MemoryDriver } = await import("./storage/memory.ts");
    return new MemoryDriver();
  },
  s3,
  s3aws: s3,
};

/**
 * @param folder from where modules are looked up
 * @throws {ConfigError} where a module cannot be used
 * @throws {StorageError} where the storage cannot be used
 */
export async function openDriver(driver: DriverConfig, access: DriverAccess, folder: string): Promise<StorageDriver> {
  const { name, parameters } = driver;
  if (isSpecifier(name)) return await openOwnDriver(await importNamed(name, folder), parameters, access);
  const open = DRIVERS[name];
  if (!open) throw new Error(`no storage driver is called ${name}: expected ${Object.keys(DRIVERS).join(", ")}`);
  return await open(parameters, access);
}

type OpenAccess = (auth: AuthConfig, warn: Warn, isStart: boolean) => Promise<AccessController | undefined>;

const CONTROLLERS: Readonly<Record<ControllerName, OpenAccess>> = {
  silly: async ({ silly }) => {
    const { SillyController } = await import("./auth/silly.ts");
    return silly && new SillyController(silly);
  },
  htpasswd: async ({ htpasswd }, warn, isStart) => {
    const { openHtpasswd } = await import("./auth/open-htpasswd.ts");
    return htpasswd && (await openHtpasswd(htpasswd, warn, isStart));
  },
  token: async ({ token }, warn) => {
    const { openToken } = await import("./auth/token/open-token.ts");
    return token && (await openToken(token, warn));
  },
};

export interface AccessSurroundings {
  readonly warn: Warn;
  /** From where modules are looked up. */
  readonly folder: string;
  /** Whether the process starts with this configuration; then a file of users that is missing is made. */
  readonly isStart: boolean;
}

/**
 * @returns undefined where everybody may do everything
 * @throws {ConfigError} where a module or a file cannot be used
 */
export async function openAccess(
  auth: AuthConfig,
  { warn, folder, isStart }: AccessSurroundings,
): Promise<AccessController | undefined> {
  const { own, ...builtIn } = auth;
  if (own) return await openOwnAccess(await importNamed(own.name, folder), own.parameters, { warn });
  const [name] = Object.keys(builtIn) as readonly ControllerName[];
  try {
    return name && (await CONTROLLERS[name](auth, warn, isStart));
  } catch (cause) {
    const key = cause instanceof UnusableValue ? `auth.${name}.${cause.key}` : `auth.${name}`;
    throw new ConfigError(key, reasonOf(cause), { cause });
  }
}

type OpenCache = (config: Config, warn: Warn, time: RedisOptions["time"]) => Promise<DescriptorCache>;

type Warn = (message: string, fields: Readonly<Record<string, unknown>>) => void;

const CACHES: Readonly<Record<CacheName, OpenCache>> = {
  inmemory: async ({ storage, wharfinger }) => {
    const { MemoryCache } = await import("./cache/memory.ts");
    const lifetime = wharfinger.exclusive ? undefined : SHARED_LIFETIME;
    return new MemoryCache({ entries: storage.cache.blobdescriptorsize, lifetime });
  },
  redis: async ({ redis, wharfinger }, warn, time) => {
    if (!redis) throw new Error("the descriptor cache is in redis, but there is no section redis");
    const { openRedisCache } = await import("./cache/open-redis.ts");
    return await openRedisCache(redis, { tls: readRedisTls(redis.tls), exclusive: wharfinger.exclusive, warn, time });
  },
};

/**
 * Redis need not be there.
 * @param time told how long calls of Redis took
 * @returns undefined where none is configured
 * @throws {ConfigError} where a file of its section cannot be read
 */
export async function openCache(
  config: Config,
  warn: Warn,
  time?: RedisOptions["time"],
): Promise<DescriptorCache | undefined> {
  const { blobdescriptor } = config.storage.cache;
  return blobdescriptor && (await CACHES[blobdescriptor](config, warn, time));
}
