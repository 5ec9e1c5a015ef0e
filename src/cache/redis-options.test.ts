import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseConfig } from "../config/load.ts";
import type { RedisConfig } from "../config/redis-config.ts";
import { timesOf } from "./open-redis.ts";
import { clusterOptions, sentinelOptions, serverOptions } from "./redis-options.ts";

/** @param section of `redis`, as a file has it */
function configOf(section: string): RedisConfig {
  const { config } = parseConfig(
    `version: 0.1\nstorage: inmemory\nredis: {addrs: [one:1, two:2], ${section}}\n`,
    "f",
    {},
  );
  return config.redis ?? assert.fail("there is a section redis");
}

/** What the library is told of each kind of Redis in the same words. */
function connectionsOf(config: RedisConfig): readonly ReturnType<typeof clusterOptions>["defaults"][] {
  const { nodeClientOptions, RESP } = sentinelOptions(config, "m", undefined);
  const { defaults, rootNodes } = clusterOptions(config, undefined);
  return [serverOptions(config, undefined), { ...nodeClientOptions, RESP }, defaults, ...rootNodes];
}

describe("what is told of every connection to Redis", () => {
  for (const [section, told] of [
    ["username: us", { username: "us" }],
    ["password: secret", { password: "secret" }],
    ["clientname: quay", { name: "quay" }],
    ["identitysuffix: west", { clientInfoTag: "west" }],
    ["disableidentity: true", { disableClientInfo: true }],
    ["disableidentity: false", { disableClientInfo: false }],
    ["protocol: 3", { RESP: 3 }],
    ["protocol: 2", { RESP: 2 }],
  ] as const) {
    it(`is ${JSON.stringify(told)} where the section has ${section}`, () => {
      for (const options of connectionsOf(configOf(section))) assert.partialDeepStrictEqual(options, told);
    });
  }

  for (const [section, timeout] of [
    ["dialtimeout: 3s", 3000],
    ["dialtimeout: -1", 5000],
    ["dialtimeout: 0", 5000],
    ["db: 0", 5000],
  ] as const) {
    it(`is ${timeout} ms to connect where the section has ${section}`, () => {
      for (const { socket } of connectionsOf(configOf(section))) assert.equal(socket.connectTimeout, timeout);
    });
  }

  it("is no name that is not set", () => {
    for (const options of connectionsOf(configOf("db: 0"))) {
      for (const name of ["username", "password", "name", "clientInfoTag"]) assert.ok(!(name in options), name);
    }
  });

  it("is what the certificates are, where there are some", () => {
    const [tls, config] = [{ ca: ["a"], cert: "c", key: "k" }, configOf("db: 0")];
    const told = { tls: true, ...tls };
    assert.partialDeepStrictEqual(serverOptions(config, tls).socket, told);
    assert.partialDeepStrictEqual(clusterOptions(config, tls).defaults.socket, told);
    const { nodeClientOptions, sentinelClientOptions } = sentinelOptions(config, "m", tls);
    for (const { socket } of [nodeClientOptions, sentinelClientOptions]) assert.partialDeepStrictEqual(socket, told);
  });
});

describe("what is told of one Redis", () => {
  it("is its database", () => {
    assert.equal(serverOptions(configOf("db: 4"), undefined).database, 4);
    assert.equal(sentinelOptions(configOf("db: 4"), "m", undefined).nodeClientOptions.database, 4);
  });

  it("is the first address", () => {
    assert.partialDeepStrictEqual(serverOptions(configOf("db: 0"), undefined).socket, { host: "one", port: 1 });
  });
});

describe("what sentinels are told", () => {
  const ADDRESSES = [
    { host: "one", port: 1 },
    { host: "two", port: 2 },
  ];

  it("is the master's name, where they are, and a name and password of their own", () => {
    const config = configOf("mastername: m, username: us, sentinelusername: guard, sentinelpassword: hidden");
    const { name, sentinelRootNodes, sentinelClientOptions } = sentinelOptions(config, "m", undefined);
    assert.equal(name, "m");
    assert.deepEqual(sentinelRootNodes, ADDRESSES);
    assert.partialDeepStrictEqual(sentinelClientOptions, { username: "guard", password: "hidden" });
  });

  it("is never the name and the password of the servers", () => {
    const { sentinelClientOptions } = sentinelOptions(configOf("username: us, password: secret"), "m", undefined);
    assert.ok(!("username" in sentinelClientOptions) && !("password" in sentinelClientOptions));
  });
});

describe("what a cluster is told", () => {
  it("is every address", () => {
    const { rootNodes } = clusterOptions(configOf("db: 0"), undefined);
    for (const [index, host] of ["one", "two"].entries()) {
      assert.partialDeepStrictEqual(rootNodes[index]?.socket, { host, port: index + 1 });
    }
  });

  it("is how many redirections to follow, where that is set", () => {
    assert.equal(clusterOptions(configOf("maxredirects: 7"), undefined).maxCommandRedirections, 7);
    assert.ok(!("maxCommandRedirections" in clusterOptions(configOf("db: 0"), undefined)));
  });
});

describe("a command of Redis", () => {
  for (const [section, retries] of [
    ["db: 0", { most: 0, first: 8, longest: 512 }],
    ["maxretries: 4", { most: 4, first: 8, longest: 512 }],
    ["minretrybackoff: 20ms, maxretrybackoff: 2s", { most: 0, first: 20, longest: 2000 }],
    ["minretrybackoff: -1, maxretrybackoff: -1", { most: 0, first: 0, longest: 0 }],
  ] as const) {
    it(`is sent again as often, and after as long, as the section says: ${section}`, () => {
      assert.deepEqual(timesOf(configOf(section)).retries, retries);
    });
  }

  for (const [section, patience] of [
    ["db: 0", 250],
    ["readtimeout: 100ms", 100],
    ["writetimeout: 60ms, readtimeout: 80ms", 60],
    ["readtimeout: -1, writetimeout: 3s", 250],
  ] as const) {
    it(`is waited for ${patience} ms where the section has ${section}`, () => {
      assert.equal(timesOf(configOf(section)).patience, patience);
    });
  }
});
