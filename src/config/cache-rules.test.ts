import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { examine } from "./examined.ts";
import { toLine } from "./finding.ts";

function lines(cache: string, redis = ""): string[] {
  const text = `version: 0.1\nstorage:\n  inmemory:\n  cache: ${cache}\n${redis}`;
  return examine(text, "f", {}).findings.map((finding) => `${finding.fatal ? "error" : "warning"}: ${toLine(finding)}`);
}

describe("storage.cache", () => {
  it("may name a cache that we have, or none", () => {
    for (const cache of ["{blobdescriptor: inmemory}", "{blobdescriptor: }", "{blobdescriptor: ''}", ""]) {
      assert.deepEqual(lines(cache), [], cache);
    }
  });

  it("with another value is warned of, and names none", () => {
    for (const name of ["memcached", "Redis", "7"]) {
      const text = `version: 0.1\nstorage: {inmemory: , cache: {blobdescriptor: ${name}}}\n`;
      const { config, findings } = examine(text, "f", {});
      assert.equal(config?.storage.cache.blobdescriptor, undefined);
      const sentence = `"${name}" is no descriptor cache, so there is none, use inmemory or redis`;
      assert.deepEqual(findings.map(toLine), [`f:2: ${sentence}`]);
    }
  });

  it("in redis needs the address of one, in either spelling", () => {
    const missing =
      "error: f:4: the descriptor cache is in redis, but redis.addrs names no server, such as [localhost:6379]";
    for (const redis of ["", "redis: {db: 1}\n", "redis: {addrs: []}\n", "redis: {addr: ''}\n"]) {
      assert.deepEqual(lines("{blobdescriptor: redis}", redis), [missing], redis);
    }
    assert.deepEqual(lines("{blobdescriptor: redis}", "redis: {addrs: [':6379', '[::1]:6380', 'a:1']}\n"), []);
    assert.deepEqual(lines("{blobdescriptor: redis}", "redis: {addr: 'a:1'}\n"), [
      "warning: f:5: redis.addr is deprecated, use redis.addrs",
    ]);
  });

  it("in redis needs addresses with a port", () => {
    const sentence = "redis.addrs has what is no address of a server, must be <host>:<port>, such as localhost:6379";
    for (const address of ["b", "redis://:secret@c:1", "a:0"]) {
      const redis = `redis:\n  addrs:\n    - a:1\n    - ${address}\n`;
      assert.deepEqual(lines("{blobdescriptor: redis}", redis), [`error: f:8: ${sentence}`]);
    }
    assert.deepEqual(lines("{blobdescriptor: inmemory}", "redis: {addrs: [b]}\n"), []);
  });

  it("in redis is warned of a certificate without its key, or the other way round", () => {
    for (const tls of ["certificate: /a", "key: /a"]) {
      assert.deepEqual(lines("{blobdescriptor: redis}", `redis: {addrs: ['a:1'], tls: {${tls}}}\n`), [
        "warning: f:5: redis.tls.certificate and redis.tls.key count only together, and are ignored",
      ]);
    }
    assert.deepEqual(
      lines("{blobdescriptor: redis}", "redis: {addrs: ['a:1'], tls: {certificate: /a, key: /b}}\n"),
      [],
    );
  });
});
