import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { DescriptorCache } from "../../src/cache/descriptor-cache.ts";
import { openRedisCache } from "../../src/cache/open-redis.ts";
import type { RedisServer } from "../../src/cache/redis-options.ts";
import { digestOf } from "../../src/oci/digest.ts";
import { MediaType } from "../../src/oci/media-types.ts";
import { ALIAS, BLOB, cacheContract, DIGEST, ONE, TWO } from "../contract/cache.ts";
import { unlessDebian } from "../setup.ts";
import { type Redis, startRedis } from "../support/redis.ts";

const skip = unlessDebian("redis-server");

describe("a cache in Redis", { skip }, () => {
  let redis: Redis;
  const warnings: string[] = [];
  before(async () => {
    redis = await startRedis();
  });
  after(() => redis[Symbol.asyncDispose]());

  async function open(settings: Partial<RedisServer> = {}): Promise<DescriptorCache> {
    const warn = (message: string): unknown => warnings.push(message);
    return await openRedisCache({ addrs: [redis.address], ...settings }, { exclusive: true, warn });
  }

  async function openEmpty(): Promise<DescriptorCache> {
    await redis.ask("FLUSHALL");
    return await open();
  }

  cacheContract("in Redis", openEmpty);
  cacheContract("in Redis, in its newer protocol", async () => {
    await redis.ask("FLUSHALL");
    return await open({ protocol: 3, clientname: "us", identitysuffix: "tests", db: 1 });
  });

  it("has the peers' keys and fields", async () => {
    await using cache = await openEmpty();
    await cache.blobs.set(ONE, ALIAS, BLOB);
    assert.equal(await redis.ask("SMEMBERS repository::one::blobs"), `*1\n$${ALIAS.length}\n${ALIAS}`);
    const fields = ["digest", "size", "mediatype"].map((field) => redis.ask(`HGET blobs::${ALIAS} ${field}`));
    assert.deepEqual(
      (await Promise.all(fields)).map((reply) => reply.split("\n")[1]),
      [DIGEST, String(BLOB.size), MediaType.octetStream],
    );
    const own = await redis.ask(`HGET repository::one::blobs::${ALIAS} mediatype`);
    assert.equal(own.split("\n")[1], MediaType.octetStream);
    await cache.blobs.clear(ONE, ALIAS);
    for (const key of ["repository::one::blobs", `repository::one::blobs::${ALIAS}`, `blobs::${ALIAS}`]) {
      assert.equal(await redis.ask(`EXISTS ${key}`), ":0", key);
    }
  });

  it("leaves a media type that a peer wrote", async () => {
    await using cache = await openEmpty();
    await redis.ask(`HSET blobs::${DIGEST} mediatype text/plain`);
    await cache.blobs.set(ONE, DIGEST, BLOB);
    assert.match(await redis.ask(`HGET blobs::${DIGEST} mediatype`), /text\/plain/);
    assert.deepEqual(await cache.blobs.get(ONE, DIGEST), BLOB);
  });

  it("does not take what was cleared lately from somebody who had looked before that, in any node", async () => {
    await using one = await openEmpty();
    await using two = await open();
    await one.blobs.clear(ONE, DIGEST);
    await two.blobs.set(ONE, DIGEST, BLOB);
    await one.revisions.clear(ONE, DIGEST);
    await two.revisions.set(ONE, DIGEST);
    for (const cache of [one, two]) {
      assert.equal(await cache.blobs.get(ONE, DIGEST), undefined);
      assert.equal(await cache.revisions.has(ONE, DIGEST), false);
    }
    assert.equal(await redis.ask("EXISTS repository::one::blobs"), ":0");
    await two.blobs.set(TWO, DIGEST, BLOB);
    assert.deepEqual(await one.blobs.get(TWO, DIGEST), BLOB);
  });

  it("shows what one node sets and clears to the others at once", async () => {
    await using one = await openEmpty();
    await using two = await open();
    await one.blobs.set(ONE, DIGEST, BLOB);
    await one.revisions.set(ONE, DIGEST);
    assert.deepEqual(await two.blobs.get(ONE, DIGEST), BLOB);
    assert.equal(await two.revisions.has(ONE, DIGEST), true);
    await two.blobs.clear(ONE, DIGEST);
    await two.revisions.clear(ONE, DIGEST);
    assert.equal(await one.blobs.get(ONE, DIGEST), undefined);
    assert.equal(await one.revisions.has(ONE, DIGEST), false);
  });

  const member = `SADD repository::one::blobs ${DIGEST}`;
  const own = `HSET repository::one::blobs::${DIGEST} mediatype a/b`;
  const fields = (target: string, size: string): string =>
    `HSET blobs::${DIGEST} digest ${target} size ${size} mediatype a/b`;
  for (const [what, ...commands] of [
    ["a size that is no number", member, own, fields(DIGEST, "ten")],
    ["a size below nothing", member, own, fields(DIGEST, "-1")],
    ["no size for some bytes", member, own, fields(DIGEST, "0")],
    ["a size beyond all measure", member, own, fields(DIGEST, "9".repeat(30))],
    ["something else than a digest", member, own, fields("../../etc/passwd", "10")],
    ["the digest of other bytes", member, own, fields(digestOf(Buffer.from("other")), "10")],
    ["a digest without a size", member, own, `HSET blobs::${DIGEST} digest ${DIGEST} mediatype a/b`],
    ["a text instead of its fields", member, own, `SET blobs::${DIGEST} garbage`],
    ["a text instead of the members", "SET repository::one::blobs garbage", own, fields(DIGEST, "10")],
    ["a set instead of its own fields", member, `SADD repository::one::blobs::${DIGEST} x`, fields(DIGEST, "10")],
  ] as const) {
    it(`has nothing where Redis holds ${what}, and puts it right`, async () => {
      await using cache = await openEmpty();
      for (const command of commands) assert.doesNotMatch(await redis.ask(command), /^-/);
      assert.equal(await cache.blobs.get(ONE, DIGEST), undefined);
      await cache.blobs.set(ONE, DIGEST, BLOB);
      assert.deepEqual(await cache.blobs.get(ONE, DIGEST), BLOB);
      assert.deepEqual(warnings, []);
    });
  }

  for (const command of ["SET", "SADD"]) {
    it(`has no manifest where Redis holds garbage of ${command}, and puts it right`, async () => {
      await using cache = await openEmpty();
      await redis.ask(`${command} wharfinger:repository::one::revisions::${DIGEST} garbage`);
      assert.equal(await cache.revisions.has(ONE, DIGEST), false);
      await cache.revisions.set(ONE, DIGEST);
      assert.equal(await cache.revisions.has(ONE, DIGEST), true);
      await redis.ask(`DEL wharfinger:repository::one::revisions::${DIGEST}`);
      await redis.ask(`${command} wharfinger:repository::one::revisions::${DIGEST} garbage`);
      await cache.revisions.clear(ONE, DIGEST);
      assert.equal(await cache.revisions.has(ONE, DIGEST), false);
      assert.deepEqual(warnings, []);
    });
  }

  it("clears a blob whose keys hold something of another type", async () => {
    await using cache = await openEmpty();
    for (const key of ["repository::one::blobs", `repository::one::blobs::${DIGEST}`, `blobs::${DIGEST}`]) {
      await redis.ask(`SET ${key} garbage`);
    }
    await cache.blobs.clear(ONE, DIGEST);
    assert.equal(await cache.blobs.get(ONE, DIGEST), undefined);
    assert.equal(await redis.ask("EXISTS repository::one::blobs"), ":0");
    assert.deepEqual(warnings, []);
  });

  it("lets a manifest's entry end by itself where others write to the storage", async () => {
    await redis.ask("FLUSHALL");
    const key = `wharfinger:repository::one::revisions::${DIGEST}`;
    const warn = (message: string): unknown => warnings.push(message);
    for (const [exclusive, least, most] of [
      [false, 1, 10_000],
      [true, 10_001, 86_400_000],
    ] as const) {
      await redis.ask("FLUSHALL");
      await using cache = await openRedisCache({ addrs: [redis.address] }, { exclusive, warn });
      await cache.revisions.set(ONE, DIGEST);
      const left = Number((await redis.ask(`PTTL ${key}`)).slice(1));
      assert.ok(left >= least && left <= most, String(left));
    }
  });
});
