import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BLOB, countsOf, DIGEST, ONE, TWO } from "../../test/contract/cache.ts";
import { until } from "../../test/faults/until.ts";
import { RedisCache } from "./redis.ts";
import { type Command, type RedisConnection, RefusedCommand, type Reply } from "./redis-connection.ts";
import type { Retries } from "./retries.ts";

const HIT: readonly Reply[] = [1, [DIGEST, String(BLOB.size), "a/b"], "a/b"];

/** A Redis of the test's own, which has every blob. */
class FakeRedis implements RedisConnection {
  ready: Promise<void> = Promise.resolve();
  renewals = 0;
  readonly sent: string[] = [];
  /** Instead of answering. */
  fault: (() => Promise<readonly Reply[]>) | undefined;

  async send(commands: readonly Command[]): Promise<readonly Reply[]> {
    this.sent.push(...commands.map(({ args }) => String(args[0])));
    if (this.fault) return await this.fault();
    return commands[0]?.args[0] === "SISMEMBER" ? HIT : commands.map(() => 1);
  }

  transact(commands: readonly Command[]): Promise<readonly Reply[]> {
    return this.send(commands);
  }

  problem(): unknown {
    return undefined;
  }

  renew(): void {
    this.renewals += 1;
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

const lost = (): Promise<never> => Promise.reject(new Error("connection lost"));
const never = (): Promise<never> => new Promise(() => undefined);

function open(
  pause: number,
  patience = 5000,
  retries?: Retries,
): { redis: FakeRedis; cache: RedisCache; warnings: string[] } {
  const redis = new FakeRedis();
  const warnings: string[] = [];
  const warn = (message: string): unknown => warnings.push(message);
  const options = { connection: redis, patience, revisionLifetime: 10, pause, warn, ...(retries && { retries }) };
  return { redis, warnings, cache: new RedisCache(options) };
}

describe("a Redis that is down", () => {
  it("is asked three times, then no more for a while, and that is told once", async () => {
    const { redis, cache, warnings } = open(1e6);
    redis.fault = lost;
    for (let i = 0; i < 10; i++) {
      assert.equal(await cache.blobs.get(ONE, DIGEST), undefined);
      assert.equal(await cache.revisions.has(ONE, DIGEST), false);
      await cache.blobs.set(ONE, DIGEST, BLOB);
    }
    assert.deepEqual(redis.sent.filter((name) => name === "SISMEMBER" || name === "GET" || name === "EVAL").length, 3);
    assert.deepEqual(warnings, ["Redis does not answer; lookups go to the storage until it is back"]);
    assert.equal(redis.renewals, 1);
  });

  it("is asked again after a while, and counts again when it is back", async () => {
    const { redis, cache, warnings } = open(0);
    redis.fault = lost;
    for (let i = 0; i < 5; i++) await cache.blobs.get(ONE, DIGEST);
    assert.equal(redis.renewals, 3);
    redis.fault = undefined;
    assert.deepEqual(await cache.blobs.get(ONE, DIGEST), BLOB);
    assert.equal(warnings.at(-1), "Redis answers again");
    assert.equal(warnings.length, 2);
  });

  it("lets nobody wait longer than its patience when it does not answer at all", async () => {
    const { redis, cache } = open(1e6, 20);
    redis.fault = never;
    const began = performance.now();
    for (let i = 0; i < 50; i++) assert.equal(await cache.blobs.get(ONE, DIGEST), undefined);
    await cache.blobs.clear(ONE, DIGEST);
    assert.ok(performance.now() - began < 2000, "3 of 50 waited");
    assert.equal(redis.sent.length, 9);
  });

  it("is one that refuses, too", async () => {
    const { redis, cache, warnings } = open(1e6);
    redis.fault = async () => [new RefusedCommand("LOADING Redis is loading the dataset in memory"), null, null];
    for (let i = 0; i < 4; i++) assert.equal(await cache.blobs.get(ONE, DIGEST), undefined);
    assert.equal(redis.sent.length, 9);
    assert.equal(warnings.length, 1);
  });

  it("at the start keeps nobody from starting", async () => {
    const { redis, cache, warnings } = open(1e6);
    redis.ready = lost();
    await cache.begin();
    assert.equal(await cache.blobs.get(ONE, DIGEST), undefined);
    assert.deepEqual([redis.sent, warnings.length], [[], 1]);
  });
});

describe("what is cleared while Redis is down", () => {
  it("does not count, and cannot be set, until Redis has cleared it", async () => {
    const { redis, cache } = open(1e6);
    redis.fault = lost;
    await cache.blobs.clear(ONE, DIGEST);
    redis.fault = undefined;
    redis.sent.length = 0;
    assert.equal(await cache.blobs.get(ONE, DIGEST), undefined);
    await cache.blobs.set(ONE, DIGEST, BLOB);
    assert.deepEqual(redis.sent, []);
    assert.deepEqual(await cache.blobs.get(TWO, DIGEST), BLOB);
    await cache.blobs.clear(ONE, DIGEST);
    assert.deepEqual(await cache.blobs.get(ONE, DIGEST), BLOB, "as this Redis has everything");
  });

  it("is cleared when Redis is back, by itself", async () => {
    const { redis, cache } = open(1);
    redis.fault = lost;
    for (const name of [ONE, TWO]) {
      await cache.blobs.clear(name, DIGEST);
      await cache.revisions.clear(name, DIGEST);
    }
    redis.sent.length = 0;
    redis.fault = undefined;
    await until("all four were cleared", () => redis.sent.filter((name) => name === "SET").length === 4);
    await until("the last one counts", async () => (await cache.blobs.get(TWO, DIGEST)) !== undefined);
    assert.deepEqual(await cache.blobs.get(ONE, DIGEST), BLOB, "as this Redis has everything");
  });

  it("does not count either while Redis has not said that it did so", async () => {
    const { redis, cache } = open(1e6);
    const answer = Promise.withResolvers<readonly Reply[]>();
    redis.fault = () => answer.promise;
    const clearing = cache.blobs.clear(ONE, DIGEST);
    redis.fault = undefined;
    assert.equal(await cache.blobs.get(ONE, DIGEST), undefined);
    answer.resolve(["OK", 1, 1, 3]);
    await clearing;
    assert.deepEqual(await cache.blobs.get(ONE, DIGEST), BLOB, "as this Redis has everything");
  });

  it("makes a look that was under way count no more", async () => {
    const { redis, cache } = open(1e6);
    const answer = Promise.withResolvers<readonly Reply[]>();
    redis.fault = () => answer.promise;
    const looking = cache.blobs.get(ONE, DIGEST);
    redis.fault = lost;
    await cache.blobs.clear(ONE, DIGEST);
    answer.resolve(HIT);
    assert.equal(await looking, undefined);
  });

  it("is told of at the end, where Redis is still down", async () => {
    const { redis, cache, warnings } = open(1e6);
    redis.fault = lost;
    await cache.blobs.clear(ONE, DIGEST);
    await cache[Symbol.asyncDispose]();
    assert.match(warnings.at(-1) ?? "", /holds 1 entries that were deleted: empty it/);
  });

  it("is cleared at the end, where Redis is back", async () => {
    const { redis, cache, warnings } = open(1e6);
    redis.fault = lost;
    await cache.blobs.clear(ONE, DIGEST);
    redis.fault = undefined;
    redis.sent.length = 0;
    await cache[Symbol.asyncDispose]();
    assert.deepEqual(redis.sent, ["SET", "SREM", "DEL", "HDEL"]);
    assert.deepEqual(warnings, []);
  });
});

describe("a Redis that fails for a moment", () => {
  const once = (redis: FakeRedis, fault: () => Promise<readonly Reply[]>): void => {
    redis.fault = () => {
      redis.fault = undefined;
      return fault();
    };
  };

  it("is asked again where that is configured", async () => {
    const { redis, cache } = open(1e6, 5000, { most: 1, first: 1, longest: 1 });
    once(redis, lost);
    assert.deepEqual(await cache.blobs.get(ONE, DIGEST), BLOB);
    once(redis, async () => [new RefusedCommand("LOADING Redis is loading the dataset in memory")]);
    assert.equal(await cache.revisions.has(ONE, DIGEST), false);
    once(redis, lost);
    redis.sent.length = 0;
    await cache.blobs.clear(ONE, DIGEST);
    assert.deepEqual(redis.sent, ["SET", "SREM", "DEL", "HDEL", "SET", "SREM", "DEL", "HDEL"]);
  });

  it("is not asked again by default, nor longer than anybody waits", async () => {
    for (const [retries, patience] of [
      [undefined, 5000],
      [{ most: 1e6, first: 1000, longest: 1000 }, 10],
    ] as const) {
      const { redis, cache } = open(1e6, patience, retries);
      once(redis, lost);
      assert.equal(await cache.blobs.get(ONE, DIGEST), undefined);
      assert.equal(redis.sent.length, 3);
    }
  });
});

describe("lookups are counted in one way each,", () => {
  const numbers = ({ counts }: RedisCache): readonly unknown[] => [countsOf(counts.blobs), countsOf(counts.revisions)];
  const NONE = { requests: 0, hits: 0, misses: 0, errors: 0 };

  it("as errors where Redis is down, also those that it is spared", async () => {
    const { redis, cache } = open(1e6);
    redis.fault = lost;
    for (let i = 0; i < 5; i++) await cache.blobs.get(ONE, DIGEST);
    for (let i = 0; i < 4; i++) await cache.revisions.has(ONE, DIGEST);
    assert.deepEqual(numbers(cache), [
      { ...NONE, requests: 5, errors: 5 },
      { ...NONE, requests: 4, errors: 4 },
    ]);
  });

  it("as errors where Redis takes too long, refuses, or has nonsense", async () => {
    const { redis, cache } = open(1e6, 20);
    const wrongType = new RefusedCommand("WRONGTYPE Operation against a key holding the wrong kind of value");
    for (const fault of [
      never,
      async () => [new RefusedCommand("LOADING Redis is loading the dataset in memory"), null, null],
      async () => [wrongType, null, null],
      async () => [1, ["nonsense", "-1", "a/b"], "a/b"],
    ]) {
      redis.fault = fault;
      assert.equal(await cache.blobs.get(ONE, DIGEST), undefined);
    }
    for (const reply of [wrongType, "nonsense"]) {
      redis.fault = async () => [reply];
      assert.equal(await cache.revisions.has(ONE, DIGEST), false);
    }
    assert.deepEqual(numbers(cache), [
      { ...NONE, requests: 4, errors: 4 },
      { ...NONE, requests: 2, errors: 2 },
    ]);
  });

  it("as hits and misses where it answers, and as misses where what it says is to be cleared", async () => {
    const { redis, cache } = open(1e6);
    await cache.blobs.get(ONE, DIGEST);
    redis.fault = async () => [0, [null, null, null], null];
    await cache.blobs.get(ONE, DIGEST);
    redis.fault = lost;
    await cache.blobs.clear(TWO, DIGEST);
    await cache.blobs.get(TWO, DIGEST);
    for (const reply of ["held", "cleared", null]) {
      redis.fault = async () => [reply];
      await cache.revisions.has(ONE, DIGEST);
    }
    assert.deepEqual(numbers(cache), [
      { requests: 3, hits: 1, misses: 2, errors: 0 },
      { requests: 3, hits: 1, misses: 2, errors: 0 },
    ]);
  });
});
