import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { examine } from "./examined.ts";
import { toLine } from "./finding.ts";

const MINIMAL = "version: 0.1\nstorage: inmemory\n";

function lines(text: string, env: Record<string, string> = {}): string[] {
  return examine(text, "f", env).findings.map(
    (finding) => `${finding.fatal ? "error" : "warning"}: ${toLine(finding)}`,
  );
}

/** What comes before the explanation. */
function subjects(text: string, env: Record<string, string> = {}): string[] {
  return lines(text, env).map((line) => line.split(/ is |,/)[0] ?? "");
}

const DEBIAN = `version: 0.1
log:
  fields:
    service: registry
storage:
  cache:
    blobdescriptor: inmemory
  filesystem:
    rootdirectory: /var/lib/docker-registry
  delete:
    enabled: true
http:
  addr: :5000
  headers:
    X-Content-Type-Options: [nosniff]
auth:
  htpasswd:
    realm: basic-realm
    path: /etc/docker/registry
health:
  storagedriver:
    enabled: true
    interval: 10s
    threshold: 3
`;

const MANY_MISTAKES = `version: 0.1
storage:
  filesystem:
  cache:
    blobdescriptor: redis
  delete:
    enabled: "true"
  maintenance:
    uploadpurging:
      age: 1d
redis:
  addrs: [localhost]
http:
  addr: 5000
  host: registry.example.com
  seceret: hunter2
  draintimeout: 60
  headers:
    X A: [b]
    X-B: c
  tls:
    certificate: /a
    minimumtls: tls1.0
auth:
  token:
    realm: https://auth.example.com/token
    service: s
proxy:
  remoteurl: https://registry-1.docker.io
`;

describe("an examined configuration", () => {
  it("has everything that is to be said of Debian's file", () => {
    assert.deepEqual(subjects(DEBIAN), []);
  });

  it("has every mistake of a file at once", () => {
    assert.deepEqual(subjects(MANY_MISTAKES), [
      "error: f:7: storage.delete.enabled",
      "error: f:10: storage.maintenance.uploadpurging.age",
      "error: f:12: redis.addrs has what",
      "error: f:14: http.addr",
      "warning: f:15: http.host",
      "warning: f:16: unknown key http.seceret",
      "warning: f:17: http.draintimeout",
      "error: f:19: http.headers.X A",
      "error: f:20: http.headers.X-B",
      "error: f:22: http.tls.certificate needs http.tls.key",
      "warning: f:23: http.tls.minimumtls tls1.0",
      "error: f:25: auth.token.issuer",
      "error: f:29: proxy.remoteurl",
    ]);
    assert.doesNotMatch(lines(MANY_MISTAKES).join(), /hunter2/);
  });

  it("has the mistakes of every variable, and those of the file after them", () => {
    const env = { REGISTRY_HTTP_ADDR: "[x", REGISTRY_REDIS_ADDRS_FIRST: "a", REGISTRY_BOGUS: "1" };
    assert.deepEqual(lines(`${MINIMAL}http: {net: udp}\n`, env), [
      "warning: ignoring unrecognized environment variable REGISTRY_BOGUS",
      "error: REGISTRY_HTTP_ADDR: is not YAML (flow sequence must end with a ])",
      'error: REGISTRY_REDIS_ADDRS_FIRST: "first" must be the index of a list item, 0 to 0',
      'error: f:3: http.net is "udp", but must be tcp or unix',
    ]);
  });

  it("has each driver and each access controller that cannot be used", () => {
    const text = "version: 0.1\nstorage: {gcs: , filesystem: , chache: , delte: }\nauth: {token: 1, ldap: , None: }\n";
    assert.deepEqual(lines(text), [
      "error: f:2: must provide exactly one storage type. Provided: [gcs filesystem chache delte] (did you mean cache instead of chache, delete instead of delte?)",
      "error: f:2: storage.gcs is a driver that is not supported yet, use filesystem, inmemory, s3 or s3aws",
      "error: f:3: auth must provide exactly one type. Provided: [token ldap None]",
      "error: f:3: auth.ldap is no access controller, must be silly, htpasswd, token, none, or the specifier of a module",
      "error: f:3: auth.token is something else (not shown), but must be a map",
    ]);
  });

  it("says once that storage is missing", () => {
    assert.deepEqual(lines("version: 0.1"), ["error: f:1: no storage configuration provided"]);
  });
});

describe("a bare number as a duration", () => {
  const drain = (written: string): string[] => lines(`${MINIMAL}http: {draintimeout: ${written}, addr: ':1'}\n`);

  it("is warned of where it is less than a millisecond", () => {
    assert.deepEqual(drain("60"), [
      "warning: f:3: http.draintimeout is 60 without a unit, which means 60 nanoseconds; write 60s for seconds, or 60ns if that is meant",
    ]);
    assert.equal(drain("999_999").length, 1);
  });

  it("is warned of in a variable", () => {
    assert.match(
      lines(MINIMAL, { REGISTRY_HTTP_DRAINTIMEOUT: "60" }).join(),
      /^warning: REGISTRY_HTTP_DRAINTIMEOUT: http\.draintimeout is 60 without a unit/,
    );
  });

  for (const written of ["0", "1000000", "60ns", "60s"]) {
    it(`is not warned of where it is ${written}`, () => assert.deepEqual(drain(written), []));
  }

  it("is not warned of where it switches a time of redis off", () => {
    assert.deepEqual(lines(`${MINIMAL}redis: {readtimeout: -1}\n`), []);
  });
});

describe("an http.host", () => {
  it("is warned of where it is no URL with scheme and host", () => {
    assert.deepEqual(lines(`${MINIMAL}http: {host: 'localhost:5000'}\n`), [
      "warning: f:3: http.host is no URL with scheme and host, such as https://registry.example.com, and is ignored, as by the peers",
    ]);
  });

  it("is not warned of where it is one, or empty", () => {
    for (const host of ["https://registry.example.com", "''"])
      assert.deepEqual(lines(`${MINIMAL}http: {host: ${host}}\n`), []);
  });
});
