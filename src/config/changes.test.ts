import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { changedKeys, withoutRestart } from "./changes.ts";
import type { Config } from "./config.ts";
import { parseConfig } from "./load.ts";

function configOf(...lines: readonly string[]): Config {
  return parseConfig(["version: 0.1", ...lines].join("\n"), "test", {}).config;
}

const S3 = (over: string): string => `storage: {s3: {region: eu-west-1, bucket: a, ${over}}}`;

describe("the keys that changed", () => {
  for (const [before, after, keys] of [
    ["storage: inmemory", "storage: {inmemory: {}}", []],
    ["storage: inmemory", "storage: filesystem", ["storage.filesystem", "storage.inmemory"]],
    [
      "storage: {filesystem: {rootdirectory: /a}}",
      "storage: {filesystem: {rootdirectory: /b}}",
      ["storage.filesystem.rootdirectory"],
    ],
    [S3("secretkey: a, accesskey: b"), S3("secretkey: c, accesskey: b"), ["storage.s3.secretkey"]],
  ] as const) {
    test(`from ${before} to ${after}`, () => {
      assert.deepEqual(changedKeys(configOf(before), configOf(after)), keys);
    });
  }

  const KEYS: readonly (readonly [line: string, key: string])[] = [
    ["http: {headers: {X-Secret: [a]}}", "http.headers"],
    ["log: {fields: {password: x}}", "log.fields"],
    ["auth: {./guard.ts: {anything: x}}", "auth../guard.ts"],
    ["auth: {silly: {realm: a, service: b}}", "auth.silly"],
    ["redis: {addrs: [a:1]}", "redis"],
    ["validation: {manifests: {urls: {allow: [^x]}}}", "validation.manifests.urls.allow"],
    ["notifications: {endpoints: [{name: a, url: 'http://a'}]}", "notifications.endpoints"],
    ["middleware: {storage: [{name: redirect, options: {baseurl: 'http://a'}}]}", "middleware.storage"],
    ["wharfinger: {trustedproxies: [10.0.0.0/8]}", "wharfinger.trustedproxies"],
  ];
  for (const [line, key] of KEYS) {
    test(`are named without what the operator made up: ${key}`, () => {
      const [before, after] = [configOf("storage: inmemory"), configOf("storage: inmemory", line)];
      assert.deepEqual(changedKeys(before, after), [key]);
      assert.deepEqual(changedKeys(after, before), [key]);
      assert.deepEqual(changedKeys(after, configOf("storage: inmemory", line)), []);
    });
  }
});

describe("what takes effect without a restart", () => {
  const running = configOf("storage: {filesystem: {rootdirectory: /a}}");
  for (const [line, keys] of [
    ["storage: inmemory", ["storage.inmemory", "storage.filesystem"]],
    [
      "storage: {filesystem: {rootdirectory: /b, maxthreads: 50}}",
      ["storage.filesystem.rootdirectory", "storage.filesystem.maxthreads"],
    ],
    ["http: {addr: /run/x, net: unix, secret: x}", ["http.addr", "http.net", "http.secret"]],
    [
      "http: {tls: {minimumtls: tls1.3}, debug: {addr: ':2', prometheus: {enabled: true}}}",
      ["http.tls.minimumtls", "http.debug.addr", "http.debug.prometheus.enabled"],
    ],
    ["http: {http2: {disabled: true}, h2c: {enabled: true}}", ["http.http2.disabled", "http.h2c.enabled"]],
    ["redis: {addrs: [a:1]}", ["redis"]],
    [
      "storage: {filesystem: {rootdirectory: /a}, cache: {blobdescriptor: inmemory, blobdescriptorsize: 5}}",
      ["storage.cache.blobdescriptor", "storage.cache.blobdescriptorsize"],
    ],
    [
      "wharfinger: {exclusive: true, datadir: /c, timeouts: {idle: 1s}, notifications: {queuesize: 2000000}, workers: auto}",
      [
        ...["wharfinger.datadir", "wharfinger.exclusive", "wharfinger.workers"],
        ...["wharfinger.notifications.queuesize", "wharfinger.timeouts.idle"],
      ],
    ],
  ] as const) {
    test(`leaves out ${keys.join(", ")}`, () => {
      const storage = line.startsWith("storage") ? [] : ["storage: {filesystem: {rootdirectory: /a}}"];
      const wanted = configOf(...storage, line, "tags: {maxtags: 7}");
      const next = withoutRestart(running, wanted);
      assert.deepEqual([...changedKeys(next, wanted)].sort(), [...keys].sort());
      assert.deepEqual(changedKeys(running, next), ["tags.maxtags"]);
    });
  }

  test("is all of S3 but where the bucket is", () => {
    const before = configOf(S3("accesskey: a, secretkey: b, chunksize: 5242880"));
    const wanted = configOf(
      "storage: {s3: {region: eu-west-2, bucket: b, rootdirectory: /c, accesskey: c, secretkey: d}}",
    );
    const next = withoutRestart(before, wanted);
    assert.deepEqual([...changedKeys(next, wanted)].sort(), [
      "storage.s3.bucket",
      "storage.s3.region",
      "storage.s3.rootdirectory",
    ]);
    assert.deepEqual([...changedKeys(before, next)].sort(), [
      "storage.s3.accesskey",
      "storage.s3.chunksize",
      "storage.s3.secretkey",
    ]);
  });
});
