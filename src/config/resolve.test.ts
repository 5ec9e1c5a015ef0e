import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as v from "valibot";
import type { Config } from "./config.ts";
import { resolve } from "./resolve.ts";
import { schema } from "./schema.ts";
import { toInput } from "./tree.ts";
import { parseYaml } from "./yaml-tree.ts";

/** Also with sections that are refused for now. */
function resolved(text: string): Config {
  return resolve(
    v.parse(schema, toInput(parseYaml(`{version: 0.1, storage: {inmemory: {}}, ${text}}`, "f", true))),
    "inmemory",
  );
}

describe("a configuration with everything in it", () => {
  it("has its access controller", () => {
    assert.deepEqual(resolved("auth: {htpasswd: {realm: r, path: /p}}").auth, { htpasswd: { realm: "r", path: "/p" } });
    const { token } = resolved("auth: {token: {realm: r, service: s, issuer: i, jwks: /k, autoredirect: on}}").auth;
    assert.deepEqual([token?.realm, token?.autoredirect, token?.signingalgorithms], ["r", true, []]);
  });

  it("raises the oldest versions of TLS", () => {
    const minimum = (written: string): string => resolved(`http: {tls: {minimumtls: ${written}}}`).http.tls.minimumtls;
    assert.deepEqual(["tls1.0", "tls1.1", "tls1.2", "tls1.3"].map(minimum), ["tls1.2", "tls1.2", "tls1.2", "tls1.3"]);
  });

  it("knows the names of cipher suites", () => {
    const suites = (name: string): Config => resolved(`http: {tls: {ciphersuites: [${name}]}}`);
    assert.deepEqual(suites("TLS_AES_128_GCM_SHA256").http.tls.ciphersuites, ["TLS_AES_128_GCM_SHA256"]);
    assert.throws(() => suites("TLS_NULL"));
  });

  it("leaves out middleware that is disabled", () => {
    const { registry } = resolved("middleware: {registry: [{name: a, disabled: true}, {name: ./b.js}]}").middleware;
    assert.deepEqual(registry, [{ name: "./b.js", disabled: false, options: {} }]);
  });

  it("takes an empty text for none", () => {
    const { http, proxy } = resolved("http: {secret: '', tls: {key: ''}}, proxy: {remoteurl: ''}");
    assert.deepEqual([http.secret, http.tls.key, proxy?.remoteurl], [undefined, undefined, undefined]);
  });

  it("has times below zero where they switch something off", () => {
    assert.equal(resolved("redis: {readtimeout: -1}").redis?.readtimeout, -1e-6);
    assert.throws(() => resolved("proxy: {ttl: -1s}"));
  });

  it("has at least one entry on a page", () => {
    const counts = ["0", "-5", "7"].map((count) => resolved(`catalog: {maxentries: ${count}}`).catalog.maxentries);
    assert.deepEqual(counts, [1000, 1000, 7]);
    assert.equal(resolved("tags: {maxtags: 0}").tags.maxtags, 1000);
  });
});
