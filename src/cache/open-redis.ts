import { AgeingConnection, type Ages } from "./ageing-connection.ts";
import { type DescriptorCache, SHARED_LIFETIME } from "./descriptor-cache.ts";
import { RedisCache, type RedisCacheOptions } from "./redis.ts";
import type { RedisServer, TlsFiles } from "./redis-options.ts";
import type { Retries } from "./retries.ts";

export interface RedisOptions extends Pick<RedisCacheOptions, "pause" | "time" | "warn"> {
  readonly tls?: TlsFiles | undefined;
  /** Everybody who writes to the storage shares this Redis, and is one of us. */
  readonly exclusive: boolean;
}

/** A registry is quicker without a Redis that takes longer. ms */
const MOST_PATIENCE = 250;

/** Entries of ours should not stay for ever on a server that never evicts. ms */
const LONG = 24 * 3_600_000;

/** Waits a second at most for the first connection: a Redis that is down is asked again later. */
export async function openRedisCache(server: RedisServer, options: RedisOptions): Promise<DescriptorCache> {
  const { connectRedis } = await import("./redis-client.ts");
  const { tls, exclusive, ...others } = options;
  const cache = new RedisCache({
    ...others,
    connection: new AgeingConnection(connectRedis(server, tls), agesOf(server)),
    ...timesOf(server),
    revisionLifetime: exclusive ? LONG : SHARED_LIFETIME,
  });
  await cache.begin();
  return cache;
}

/** How long a command is waited for, and how often one that fails is sent again. */
export function timesOf(server: RedisServer): Pick<RedisCacheOptions, "patience" | "retries"> {
  return { patience: patienceOf(server), retries: retriesOf(server) };
}

/** What is not set, or switched off, leaves ours. */
function patienceOf({ readtimeout = 0, writetimeout = 0 }: RedisServer): number {
  return Math.min(MOST_PATIENCE, ...[readtimeout, writetimeout].filter((ms) => ms > 0));
}

function agesOf({ connmaxlifetime = 0, connmaxidletime = 0 }: RedisServer): Ages {
  const orNone = (ms: number): number | undefined => (ms > 0 ? ms : undefined);
  return { most: orNone(connmaxlifetime), idle: orNone(connmaxidletime) };
}

/** What the peers' client waits before it tries again. ms */
const BACKOFF = { first: 8, longest: 512 };

/** Negative times are the shortest wait. */
function retriesOf({ maxretries = 0, minretrybackoff = 0, maxretrybackoff = 0 }: RedisServer): Retries {
  return {
    most: maxretries,
    first: Math.max(0, minretrybackoff || BACKOFF.first),
    longest: Math.max(0, maxretrybackoff || BACKOFF.longest),
  };
}
