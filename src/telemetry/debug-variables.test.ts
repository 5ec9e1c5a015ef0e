import assert from "node:assert/strict";
import { test } from "node:test";
import { debugVariables, type RedisSettings } from "./debug-variables.ts";

function redisOf(redis: Partial<RedisSettings>): Readonly<Record<string, unknown>> {
  const settings = { isUsed: false, addrs: ["redis:6379"], db: 0, ...redis };
  const cache = { requests: 1, hits: 1, misses: 0, errors: 0 }; // in memory, or in Redis
  const variables = debugVariables({ version: "1", endpoints: [], redis: settings }, { cache, endpoints: [] });
  return (variables as { registry: { redis: Readonly<Record<string, unknown>> } }).registry.redis;
}

test("Redis is active where something uses it, and not where it is configured alone", () => {
  assert.deepEqual([redisOf({ isUsed: false })["Active"], redisOf({ isUsed: true })["Active"]], [0, 1]);
});

test("the pool of Redis is told as it was configured, its time in nanoseconds", () => {
  const { Pool } = redisOf({ maxidleconns: 16, maxactiveconns: 64, connmaxidletime: 300_000 })["Config"] as {
    readonly Pool: unknown;
  };
  assert.deepEqual(Pool, { MaxIdle: 16, MaxActive: 64, IdleTimeout: 300_000_000_000 });
});
