import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import type { DescriptorCache } from "../../src/cache/descriptor-cache.ts";
import { openRedisCache } from "../../src/cache/open-redis.ts";
import { connectRedis } from "../../src/cache/redis-client.ts";
import type { RedisServer, TlsFiles } from "../../src/cache/redis-options.ts";
import { parseRepositoryName } from "../../src/oci/names.ts";
import { readRedisTls } from "../../src/redis-tls.ts";
import { BLOB, cacheContract, DIGEST, ONE } from "../contract/cache.ts";
import { until } from "../faults/until.ts";
import { unlessDebian } from "../setup.ts";
import { freePort } from "../support/free-port.ts";
import { type Redis, startRedis } from "../support/redis.ts";
import { run } from "../support/run.ts";
import { ServerProcess } from "../support/server-process.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";

const skip = unlessDebian("redis-server");

/** Fails where Redis has to be asked twice, or does not answer. */
function open(server: RedisServer, tls?: TlsFiles): Promise<DescriptorCache> {
  const warn = (message: string, fields: object): void => assert.fail(`${message} ${JSON.stringify(fields)}`);
  return openRedisCache(server, { exclusive: true, warn, tls });
}

/** In a repository of its own, because what was cleared stays away for a while. */
async function works({ blobs }: DescriptorCache): Promise<void> {
  const name = parseRepositoryName(randomUUID());
  await blobs.set(name, DIGEST, BLOB);
  assert.deepEqual(await blobs.get(name, DIGEST), BLOB);
  await blobs.clear(name, DIGEST);
  assert.equal(await blobs.get(name, DIGEST), undefined);
}

describe("the reason is told of a Redis", { skip }, () => {
  const TLS: TlsFiles = { ca: [] };
  for (const [what, over, tls, reason] of [
    ["whose port is closed", { addrs: ["127.0.0.1:1"] }, undefined, /ECONNREFUSED/],
    ["whose port of its name is closed", { addrs: ["localhost:1"] }, undefined, /ECONNREFUSED/],
    ["that has no such database", { db: 99 }, undefined, /DB index is out of range/],
    ["that speaks no TLS", {}, TLS, /no connection over TLS so far/],
  ] as const) {
    it(what, async () => {
      await using redis = await startRedis();
      const told: unknown[] = [];
      const warn = (_message: string, fields: Readonly<Record<string, unknown>>): unknown =>
        told.push(fields["reason"]);
      await using _cache = await openRedisCache({ addrs: [redis.address], ...over }, { exclusive: true, warn, tls });
      assert.equal(told.length, 1);
      assert.match(String(told[0]), reason);
    });
  }
});

describe("a Redis with a password", { skip }, () => {
  it("takes it, of a user too, and is down for who has another", async () => {
    await using redis = await startRedis([
      "--requirepass",
      "secret",
      "--user",
      ..."us on >ours ~* &* +@all".split(" "),
    ]);
    const addrs = [redis.address];
    for (const server of [
      { addrs, password: "secret" },
      { addrs, username: "us", password: "ours", protocol: 3 },
    ]) {
      await using cache = await open(server);
      await works(cache);
    }
    const told: string[] = [];
    const warn = (message: string, fields: object): unknown => told.push(`${message} ${JSON.stringify(fields)}`);
    await using cache = await openRedisCache({ addrs, password: "wrong" }, { exclusive: true, warn });
    assert.equal(await cache.blobs.get(ONE, DIGEST), undefined);
    await cache.blobs.set(ONE, DIGEST, BLOB);
    assert.equal(told.length, 1);
    assert.match(told.join(), /"reason":"WRONGPASS /);
    assert.doesNotMatch(told.join(), /wrong"|secret/);
  });
});

describe("a connection to Redis that becomes old", { skip }, () => {
  for (const key of ["connmaxlifetime", "connmaxidletime"] as const) {
    it(`is replaced by a new one, and ends: ${key}`, async () => {
      await using redis = await startRedis();
      await using cache = await open({ addrs: [redis.address], clientname: "us", [key]: 20 });
      const [first] = await connectionsOf(redis);
      await until("another one is there alone", async () => {
        const now = await connectionsOf(redis);
        return now.length > 0 && first !== undefined && !now.includes(first);
      });
      await works(cache);
    });
  }

  it("is replaced while commands are under way, of which none is lost", async () => {
    await using redis = await startRedis();
    await using connection = connectRedis({ addrs: [redis.address] }, undefined);
    await connection.ready;
    const count = { key: "n", args: ["INCR", "n"] };
    for (let round = 1; round <= 20; round++) {
      const before = Array.from({ length: 20 }, () => connection.send([count]));
      const replaced = connection.replace();
      const during = Array.from({ length: 20 }, () => connection.transact([count]));
      await Promise.all([replaced, ...before, ...during]);
      assert.equal(await redis.ask("GET n"), `$${`${round * 40}`.length}\n${round * 40}`);
    }
  });
});

/** Those of a client called `us`. */
async function connectionsOf(redis: Redis): Promise<readonly string[]> {
  return (await redis.ask("CLIENT LIST")).match(/^id=\d+(?=.* name=us )/gm) ?? [];
}

describe("a Redis with encryption", { skip }, () => {
  let folder: TemporaryFolder;
  let redis: Redis;
  let tlsPort: number;
  before(async () => {
    folder = await temporaryFolder("redis-tls");
    const [key, certificate] = [folder.join("key.pem"), folder.join("cert.pem")];
    const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"];
    const files = ["-keyout", key, "-out", certificate];
    await run("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", ...names, ...files]);
    tlsPort = await freePort();
    const tls = ["--tls-port", String(tlsPort), "--tls-cert-file", certificate, "--tls-key-file", key];
    redis = await startRedis([...tls, "--tls-ca-cert-file", certificate]);
  });
  after(async () => {
    await redis[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  const filesOf = (over: object): TlsFiles | undefined => {
    const [certificate, key] = [folder.join("cert.pem"), folder.join("key.pem")];
    return readRedisTls({ rootcas: [certificate], certificate, key, ...over });
  };

  it("is spoken to with a certificate of one's own", async () => {
    for (const host of ["127.0.0.1", "localhost"]) {
      await using cache = await open({ addrs: [`${host}:${tlsPort}`] }, filesOf({}));
      await works(cache);
    }
  });

  it("is spoken to without one where it asks for none", async () => {
    await redis.ask("CONFIG SET tls-auth-clients no");
    await using cache = await open({ addrs: [`127.0.0.1:${tlsPort}`] }, filesOf({ certificate: undefined }));
    await works(cache);
    await redis.ask("CONFIG SET tls-auth-clients yes");
  });

  it("is not trusted with a certificate of nobody we know", async () => {
    const told: string[] = [];
    const warn = (message: string, fields: object): unknown => told.push(`${message} ${JSON.stringify(fields)}`);
    const addrs = [`127.0.0.1:${tlsPort}`];
    await using cache = await openRedisCache({ addrs }, { exclusive: true, warn, tls: filesOf({ rootcas: [] }) });
    await cache.blobs.set(ONE, DIGEST, BLOB);
    assert.equal(await redis.ask("EXISTS repository::one::blobs"), ":0");
    assert.equal(told.length, 1);
  });

  it("has files that are there, of which a certificate counts with its key only", () => {
    assert.equal(filesOf({ rootcas: [], key: undefined }), undefined);
    assert.deepEqual(filesOf({ key: undefined }), { ca: [readFileSync(folder.join("cert.pem"), "utf8")] });
    assert.throws(() => filesOf({ rootcas: ["/gone"] }), /^ConfigError: redis\.tls\.rootcas: cannot be read: ENOENT/);
  });
});

describe("a cluster of Redis", { skip }, () => {
  let folder: TemporaryFolder;
  let nodes: readonly ClusterNode[] = [];
  before(async () => {
    folder = await temporaryFolder("redis-cluster");
    nodes = await Promise.all([0, 1, 2].map((node) => startClusterNode(folder.join(`${node}.conf`))));
    for (const [index, node] of nodes.entries()) {
      const first = Math.round((index * 16_384) / nodes.length);
      const last = Math.round(((index + 1) * 16_384) / nodes.length) - 1;
      assert.equal(await node.ask(`CLUSTER ADDSLOTSRANGE ${first} ${last}`), "+OK");
      assert.equal(await node.ask(`CLUSTER MEET 127.0.0.1 ${nodes[0]?.port} ${nodes[0]?.bus}`), "+OK");
    }
    for (const node of nodes) {
      await until("the cluster is one", async () => /cluster_state:ok/.test(await node.ask("CLUSTER INFO")));
    }
  });
  after(async () => {
    for (const node of nodes) await node[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  const addresses = (): readonly string[] => nodes.map(({ address }) => address);

  cacheContract("in a cluster of Redis", async () => {
    for (const node of nodes) await node.ask("FLUSHALL");
    return await open({ addrs: addresses() });
  });

  it("does not take what was cleared lately from somebody who had looked before that", async () => {
    for (const node of nodes) await node.ask("FLUSHALL");
    await using one = await open({ addrs: addresses() });
    await using two = await open({ addrs: addresses() });
    await one.blobs.clear(ONE, DIGEST);
    await two.blobs.set(ONE, DIGEST, BLOB);
    assert.equal(await one.blobs.get(ONE, DIGEST), undefined);
  });
});

interface ClusterNode extends Redis {
  /** The port on which the nodes speak with each other. */
  readonly bus: number;
}

async function startClusterNode(config: string): Promise<ClusterNode> {
  const bus = await freePort();
  const settings = ["--cluster-enabled", "yes", "--cluster-config-file", config, "--cluster-port", String(bus)];
  return { ...(await startRedis(settings)), bus };
}

describe("a Redis behind sentinels", { skip }, () => {
  it("is found by its name", async () => {
    await using folder = await temporaryFolder("redis-sentinel");
    await using redis = await startRedis();
    const port = await freePort();
    await writeFile(
      folder.join("sentinel.conf"),
      `port ${port}\nbind 127.0.0.1\nsentinel monitor main 127.0.0.1 ${redis.port} 1\n`,
    );
    await using sentinel = new ServerProcess("redis-server", [folder.join("sentinel.conf"), "--sentinel"]);
    await sentinel.says(/\+monitor master main/);
    await using cache = await open({ addrs: [`127.0.0.1:${port}`], mastername: "main" });
    await works(cache);
    await cache.blobs.set(ONE, DIGEST, BLOB);
  });
});
