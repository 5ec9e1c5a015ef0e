import { type DescriptorCache, SHARED_LIFETIME } from "./descriptor-cache.ts";
import { RedisCache, type RedisCacheOptions } from "./redis.ts";
import type { RedisServer, TlsFiles } from "./redis-client.ts";

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
    connection: connectRedis(server, tls),
    patience: patienceOf(server),
    revisionLifetime: exclusive ? LONG : SHARED_LIFETIME,
  });
  await cache.begin();
  return cache;
}

/** What is not set, or switched off, leaves ours. */
function patienceOf({ readtimeout = 0, writetimeout = 0 }: RedisServer): number {
  return Math.min(MOST_PATIENCE, ...[readtimeout, writetimeout].filter((ms) => ms > 0));
}
