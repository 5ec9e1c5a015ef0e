import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import fc from "fast-check";
import { ConfigError } from "./config-error.ts";
import { KEYS } from "./keys.ts";
import { type LoadedConfig, loadConfig, parseConfig } from "./load.ts";

const MINIMAL = "version: 0.1\nstorage: inmemory\n";

function load(text: string): Omit<LoadedConfig, "source"> {
  return parseConfig(text, "config.yml", {});
}

function failure(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.message;
  }
  return assert.fail("the configuration was accepted");
}

describe("a configuration file", () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), "wharfinger-config-"));
  });
  after(() => rmSync(directory, { recursive: true }));

  function file(name: string, text: string = MINIMAL): string {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  }

  it("named on the command line comes before the one a variable names", () => {
    const [path, other] = [file("a.yml"), file("b.yml")];
    assert.equal(loadConfig({ path, env: { REGISTRY_CONFIGURATION_PATH: other } }).source, path);
    assert.equal(loadConfig({ env: { REGISTRY_CONFIGURATION_PATH: other } }).source, other);
  });

  it("named by nobody is looked for in the places of the peers", () => {
    const second = file("second.yml");
    const defaults = [join(directory, "none.yml"), join(second, "below-a-file.yml"), second];
    assert.equal(loadConfig({ env: {}, defaults }).source, second);
  });

  it("that is nowhere is replaced by one that keeps everything in ./data, with variables still applied", () => {
    const { config, source, warnings } = loadConfig({ env: { REGISTRY_HTTP_ADDR: ":6000" }, defaults: [] });
    assert.equal(source, undefined);
    assert.deepEqual(warnings, []);
    assert.equal(config.http.addr, ":6000");
    assert.equal(loadConfig({ env: {}, defaults: [] }).config.http.addr, ":5000");
    assert.deepEqual(config.storage.driver, {
      name: "filesystem",
      parameters: { rootdirectory: "./data", maxthreads: 100 },
    });
  });

  it("that is named but missing is an error", () => {
    const path = join(directory, "missing.yml");
    assert.equal(
      failure(() => loadConfig({ path, env: {} })),
      `${path}: there is no such configuration file`,
    );
  });

  it("that cannot be read is an error", () => {
    const path = join(directory, "directory.yml");
    mkdirSync(path);
    assert.equal(
      failure(() => loadConfig({ path, env: {} })),
      `${path}: cannot be read (EISDIR)`,
    );
  });

  it("that the manual shows is accepted without a warning", () => {
    const path = new URL("../../docs/sample-config.yml", import.meta.url).pathname;
    const { config, warnings } = loadConfig({ path, env: {} });
    assert.deepEqual(warnings, []);
    assert.deepEqual(config.http.headers, { "X-Content-Type-Options": ["nosniff"] });
  });
});

describe("the smallest configuration", () => {
  const { config, warnings } = load(MINIMAL);

  it("gives no warning", () => assert.deepEqual(warnings, []));

  it("has every default", () => {
    assert.deepEqual(config.log, {
      accesslog: { disabled: false },
      level: "info",
      formatter: "text",
      fields: {},
      hooks: [],
      reportcaller: false,
    });
    assert.deepEqual(config.storage, {
      driver: { name: "inmemory", parameters: {} },
      maintenance: {
        uploadpurging: { enabled: true, age: 604_800_000, interval: 86_400_000, dryrun: false },
        readonly: { enabled: false },
      },
      delete: { enabled: false },
      redirect: { disable: false },
      cache: { blobdescriptor: undefined, blobdescriptorsize: 10_000 },
      tag: { concurrencylimit: 0 },
    });
    assert.deepEqual(config.auth, {});
    assert.equal(config.http.addr, "");
    assert.equal(config.http.net, "tcp");
    assert.equal(config.http.secret, undefined);
    assert.equal(config.http.draintimeout, 10_000);
    assert.equal(config.http.tls.minimumtls, "tls1.2");
    assert.equal(config.redis, undefined);
    assert.equal(config.proxy, undefined);
    assert.deepEqual(config.catalog, { maxentries: 1000 });
    assert.deepEqual(config.tags, { maxtags: 1000 });
    assert.equal(config.validation.disabled, false);
    assert.equal(config.validation.manifests.indexes.platforms, "all");
    assert.deepEqual(config.wharfinger.timeouts, { header: 30_000, idle: 180_000, body: 60_000 });
  });
});

describe("the version", () => {
  for (const version of ["0.1", '"0.1"', "'0.1'"]) {
    it(`may be written ${version}`, () =>
      assert.equal(load(`version: ${version}\nstorage: inmemory`).config.version, "0.1"));
  }

  for (const version of ["0.2", "0.10", "1", "", "[0.1]"]) {
    it(`must not be ${version || "empty"}`, () => {
      assert.match(
        failure(() => load(`storage: inmemory\nversion: ${version}\n`)),
        /^config\.yml:\d: unsupported version: "/,
      );
    });
  }

  it("must be there", () => {
    assert.equal(
      failure(() => load("storage: inmemory")),
      'config.yml:1: unsupported version: "", must be 0.1',
    );
    assert.equal(
      failure(() => load("")),
      'config.yml:1: unsupported version: "", must be 0.1',
    );
  });
});

describe("the storage section", () => {
  const storage = (text: string): string => `version: 0.1\nstorage: ${text}\n`;

  for (const text of ["inmemory", "{inmemory: }", "{inmemory: {}}", "\n  inmemory:\n  delete: {enabled: true}"]) {
    it(`names its driver by ${JSON.stringify(text)}`, () => {
      assert.deepEqual(load(storage(text)).config.storage.driver, { name: "inmemory", parameters: {} });
    });
  }

  it("must be there", () => {
    assert.equal(
      failure(() => load("version: 0.1")),
      "config.yml:1: no storage configuration provided",
    );
    assert.equal(
      failure(() => load(storage("{delete: }"))),
      "config.yml:2: no storage configuration provided",
    );
  });

  it("must name one driver only", () => {
    assert.equal(
      failure(() => load(storage("{filesystem: , inmemory: }"))),
      "config.yml:2: must provide exactly one storage type. Provided: [filesystem inmemory]",
    );
  });

  it("with a misspelt key says what was meant", () => {
    assert.match(
      failure(() => load(storage("\n  inmemory:\n  chache: {}"))),
      /^config\.yml:4: .* \(did you mean cache instead of chache\?\)$/,
    );
  });

  for (const driver of ["azure", "gcs"]) {
    it(`with ${driver} is refused for now`, () => {
      assert.equal(
        failure(() => load(storage(`{${driver}: {bucket: b}}`))),
        `config.yml:2: storage.${driver} is a driver that is not supported yet, use filesystem, inmemory, s3 or s3aws`,
      );
    });
  }

  for (const driver of ["swift", "oss", "rados"]) {
    it(`with ${driver} is refused for good`, () => {
      assert.match(
        failure(() => load(storage(driver))),
        new RegExp(`storage.${driver} is a driver that distribution dropped`),
      );
    });
  }

  it("with a driver nobody knows is refused", () => {
    assert.equal(
      failure(() => load(storage("tape"))),
      "config.yml:2: storage.tape is no driver, must be filesystem, inmemory, s3 or s3aws",
    );
  });

  it("gives the filesystem its defaults", () => {
    const { parameters } = load(storage("filesystem")).config.storage.driver;
    assert.deepEqual(parameters, { rootdirectory: "/var/lib/registry", maxthreads: 100 });
  });

  for (const [written, threads] of [
    ["30", 30],
    ['"30"', 30],
    ["5", 25],
    ["0", 25],
    ["-1", 25],
  ] as const) {
    it(`reads maxthreads ${written} as ${threads}`, () => {
      const { parameters } = load(storage(`{filesystem: {maxthreads: ${written}}}`)).config.storage.driver;
      assert.equal(parameters["maxthreads"], threads);
    });
  }

  it("does not take a number of threads that is none", () => {
    assert.equal(
      failure(() => load(storage("{filesystem: {maxthreads: many}}"))),
      'config.yml:2: storage.filesystem.maxthreads is "many", but must be a whole number',
    );
  });

  it("fills in what an upload purging section leaves out", () => {
    const { uploadpurging } = load(storage("{inmemory: , maintenance: {uploadpurging: {age: 1h}}}")).config.storage
      .maintenance;
    assert.deepEqual(uploadpurging, { enabled: true, age: 3_600_000, interval: 86_400_000, dryrun: false });
  });

  it("does not take an age of uploads below 0", () => {
    assert.match(
      failure(() => load(storage("{inmemory: , maintenance: {uploadpurging: {age: -1s}}}"))),
      /^config\.yml:2: storage\.maintenance\.uploadpurging\.age is "-1s", but must be .*, not below 0$/,
    );
  });
});

describe("the auth section", () => {
  for (const text of ["none", "NONE", "{none: }", "{None: {}}", "", "{}"]) {
    it(`written ${JSON.stringify(text)} is none`, () =>
      assert.deepEqual(load(`${MINIMAL}auth: ${text}\n`).config.auth, {}));
  }

  for (const [name, missing] of [
    ["silly", "service"],
    ["htpasswd", "path"],
    ["token", "service"],
  ]) {
    it(`with ${name} needs all of it`, () => {
      assert.match(
        failure(() => load(`${MINIMAL}auth: {${name}: {realm: r}}\n`)),
        new RegExp(`^config.yml:3: auth.${name}.${missing} is missing`),
      );
      assert.match(
        failure(() => load(`${MINIMAL}auth:\n  ${name}:\n`)),
        new RegExp(`^config.yml:4: auth.${name}.realm is missing`),
      );
    });
  }

  const token = (more: string): string => `${MINIMAL}auth: {token: {realm: r, service: s, issuer: i, ${more}}}\n`;

  it("with tokens needs a key, known algorithms and a path that is one", () => {
    assert.ok(load(token("jwks: /keys")).config.auth.token);
    assert.ok(
      load(token("rootcertbundle: /ca, signingalgorithms: [ES256, EdDSA], autoredirectpath: /a/b")).config.auth.token,
    );
    assert.match(
      failure(() => load(token("autoredirect: true"))),
      /auth.token.rootcertbundle is missing.* token auth requires at least one token signing key$/,
    );
    assert.match(
      failure(() => load(token("jwks: /keys, signingalgorithms: [none]"))),
      /auth\.token\.signingalgorithms\[0\] is .*must be one of EdDSA, HS256/,
    );
    assert.match(
      failure(() => load(token("jwks: /keys, autoredirectpath: auth"))),
      /auth\.token\.autoredirectpath is .*must be a path that begins with \//,
    );
  });

  it("with keys from a URL of another scheme than http and https is refused, and not taken for a file's name", () => {
    assert.match(
      failure(() => load(token("jwks: 'ftp://keys.test/x'"))),
      /^config\.yml:3: auth\.token\.jwks is something else \(not shown\), but must be the path of a file, or a URL with http or https$/,
    );
    assert.ok(load(token("jwks: HTTPS://keys.test/x")).config.auth.token);
  });

  it("with a module has what stands there, as YAML has it", () => {
    assert.deepEqual(load(`${MINIMAL}auth: {./access.js: {teams: {a: [1, x]}}}\n`).config.auth, {
      own: { name: "./access.js", parameters: { teams: { a: [1, "x"] } } },
    });
    assert.deepEqual(load(`${MINIMAL}auth: ./access.js\n`).config.auth, {
      own: { name: "./access.js", parameters: {} },
    });
    assert.match(
      failure(() => load(`${MINIMAL}auth: {./access.js: , silly: {realm: r, service: s}}\n`)),
      /exactly one type/,
    );
  });

  it("with two controllers is an error", () => {
    assert.match(
      failure(() => load(`${MINIMAL}auth: {none: , htpasswd: }\n`)),
      /exactly one type\. Provided: \[none htpasswd\]$/,
    );
  });

  it("with a controller nobody knows is an error", () => {
    assert.equal(
      failure(() => load(`${MINIMAL}auth: ldap\n`)),
      "config.yml:3: auth.ldap is no access controller, must be silly, htpasswd, token, none, or the specifier of a module",
    );
  });
});

describe("an unknown key", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["htpp: {addr: x}", "config.yml:3: unknown key htpp is ignored, did you mean http?"],
    ["http:\n  adress: x", "config.yml:4: unknown key http.adress is ignored"],
    ["http:\n  adr: x", "config.yml:4: unknown key http.adr is ignored, did you mean http.addr?"],
    ["http:\n  Addr: x", "config.yml:4: unknown key http.Addr is ignored, did you mean http.addr?"],
    ["x-mine: {a: 1}", "config.yml:3: unknown key x-mine is ignored"],
    ["redis: {addrs: , pol: 1}", "config.yml:3: unknown key redis.pol is ignored, did you mean redis.pool?"],
    [
      "validation:\n  manifests:\n    indexes:\n      platformlist:\n        - ahrchitecture: a",
      "config.yml:7: unknown key validation.manifests.indexes.platformlist.ahrchitecture is ignored, did you mean validation.manifests.indexes.platformlist.architecture?",
    ],
  ];
  for (const [text, warning] of cases) {
    it(`${JSON.stringify(text)} is warned of with its line`, () =>
      assert.deepEqual(load(`${MINIMAL}${text}\n`).warnings, [warning]));
  }

  it("is warned of each time it stands somewhere", () => {
    assert.equal(load(`${MINIMAL}a1: 1\nb2: 1\nhttp: {c3: 1}\n`).warnings.length, 3);
  });

  it("that does not look like one is not shown, because it may be a secret without its quotes", () => {
    assert.deepEqual(load(`${MINIMAL}http: {secret=hunter2}\n`).warnings, [
      "config.yml:3: unknown key http.(name not shown) is ignored",
    ]);
  });

  it("within a map of the operator's own is none", () => {
    assert.deepEqual(load(`${MINIMAL}log: {fields: {anything: {goes: 1}}}\n`).warnings, []);
  });
});

describe("a value that is not accepted", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["http: 5", '3: http is "5", but must be a map'],
    ["http: []", "3: http is a list, but must be a map"],
    ["http:\n  headers: {X-A: b}", "4: http.headers.X-A is something else (not shown), but must be a list"],
    ["http:\n  relativeurls: maybe", '4: http.relativeurls is "maybe", but must be true or false'],
    ['http:\n  relativeurls: "true"', '4: http.relativeurls is "true", but must be true or false'],
    [
      "http:\n  draintimeout: soon",
      '4: http.draintimeout is "soon", but must be a duration such as 90s, 1h30m or 500ms, not below 0',
    ],
    [
      "http:\n  prefix: /p",
      '4: http.prefix is "/p", but must be empty, or a plain path that begins and ends with a slash: /registry/',
    ],
    [
      "http:\n  addr: 5000",
      '4: http.addr is "5000", but must be <host>:<port> or :<port>, such as :5000, with a port up to 65535',
    ],
    [
      "http:\n  net: unix\n  addr: :5000",
      '5: http.addr is ":5000", but must be the path of a socket, as http.net is unix',
    ],
    ["http:\n  net: unix", "3: http.addr is missing, but must be the path of a socket, as http.net is unix"],
    [
      "http:\n  headers:\n    X-A: [a]\n    X A: [b]",
      "6: http.headers.X A is a list, but must be under a name of letters, digits, - and _",
    ],
    [
      "http:\n  headers: {X-A: [a, 'b\u2028']}",
      "4: http.headers.X-A[1] is something else (not shown), but must be text without line breaks and control characters, in Latin letters",
    ],
    [
      "wharfinger:\n  timeouts:\n    body: 30",
      '5: wharfinger.timeouts.body is "30", but must be a duration above 0 with its unit: write 30s for thirty seconds',
    ],
    ["http:\n  net: udp", '4: http.net is "udp", but must be tcp or unix'],
    ["http:\n  host: [a]", "4: http.host is a list, but must be text"],
    ["http:\n  secret: {hunter2: x}", "4: http.secret is a map, but must be text"],
    ["redis:\n  db: hunter2", '4: redis.db is "hunter2", but must be a whole number, at least 0'],
    ["tags:\n  maxtags: -1", '4: tags.maxtags is "-1", but must be a whole number, at least 0'],
    ["log:\n  level: trace", "4: invalid loglevel trace Must be one of [error, warn, info, debug]"],
    ["loglevel: trace", "3: invalid loglevel trace Must be one of [error, warn, info, debug]"],
    ["log:\n  formatter: xml", '4: unsupported logging formatter: "xml", must be one of text, json, logstash'],
    [
      "notifications:\n  endpoints:\n    - name: a\n    - url: b",
      "5: notifications.endpoints[0].url is missing, but must be the URL events are sent to",
    ],
    [
      "validation:\n  manifests:\n    indexes: {platforms: some}",
      '5: validation.manifests.indexes.platforms is "some", but must be one of all, none, list',
    ],
  ];
  for (const [text, sentence] of cases) {
    it(`is told in one sentence: ${sentence}`, () => {
      assert.equal(
        failure(() => load(`${MINIMAL}${text}\n`)),
        `config.yml:${sentence}`,
      );
    });
  }

  it("is not quoted where it may be a secret", () => {
    assert.doesNotMatch(
      failure(() => load(`${MINIMAL}notifications: {endpoints: [{name: a, url: b, headers: hunter2}]}\n`)),
      /hunter2/,
    );
  });

  it("is cut where it is long", () => {
    assert.ok(failure(() => load(`${MINIMAL}log: {formatter: ${"x".repeat(5000)}}\n`)).length < 200);
  });
});

describe("the http section", () => {
  const http = (section: object): unknown => load(`${MINIMAL}http: ${JSON.stringify(section)}\n`).config.http;

  for (const addr of ["", ":5000", "localhost:0", "127.0.0.1:65535", "[::1]:5000", "[]:5000", "my_host.example:80"]) {
    it(`takes the address ${JSON.stringify(addr)}`, () => assert.ok(http({ addr })));
  }

  for (const addr of [
    "5000",
    ":5000x",
    ":99999",
    "localhost",
    ":",
    "a:b:80",
    "http://a:80",
    "a b:80",
    "[::1:80",
    "/run/s",
  ]) {
    it(`does not take the address ${JSON.stringify(addr)}`, () => {
      assert.match(
        failure(() => http({ addr })),
        /^config\.yml:3: http\.addr is ".*", but must be <host>:<port>/,
      );
    });
  }

  for (const addr of ["/run/registry.sock", "registry.sock", "./run:5000"]) {
    it(`takes the socket ${addr}`, () => assert.ok(http({ net: "unix", addr })));
  }

  for (const addr of [":5000", "127.0.0.1:5000", "[::1]:5000", ""]) {
    it(`does not take the socket ${JSON.stringify(addr)}`, () => {
      assert.match(
        failure(() => http({ net: "unix", addr })),
        /must be the path of a socket/,
      );
    });
  }

  for (const prefix of ["", "/", "/a/", "/a/b.c/..d/.../~e/"]) {
    it(`takes the prefix ${JSON.stringify(prefix)}`, () => assert.ok(http({ prefix })));
  }

  for (const prefix of [
    "a",
    "/a",
    "a/",
    "//",
    "/a//b/",
    "/./",
    "/a/../",
    "/a b/",
    "/a\t/",
    "/a?/",
    "/#/",
    "/%61/",
    "/ä/",
    "/\\/",
  ]) {
    it(`does not take the prefix ${JSON.stringify(prefix)}`, () => {
      assert.match(
        failure(() => http({ prefix })),
        /must be empty, or a plain path/,
      );
    });
  }

  for (const name of ["", "X A", "X:A", "X-Ä", "X\n"]) {
    it(`does not take a header of the name ${JSON.stringify(name)}`, () => {
      assert.match(
        failure(() => http({ headers: { [name]: ["a"] } })),
        /must be under a name of letters/,
      );
    });
  }

  for (const value of ["a\nb", "a\r", "\0", "€"]) {
    it(`does not take a header of the value ${JSON.stringify(value)}`, () => {
      assert.match(
        failure(() => http({ headers: { "X-A": [value] } })),
        /must be text without line breaks/,
      );
    });
  }

  for (const name of ["Content-Length", "transfer-encoding", "Trailer"]) {
    it(`does not take the header ${name}, which the server writes`, () => {
      assert.equal(
        failure(() => http({ headers: { [name]: ["5"] } })),
        `config.yml:3: http.headers.${name} is a list, but must be left to the server`,
      );
    });
  }

  it("takes headers that HTTP allows", () => {
    const headers = { "X-Content-Type-Options": ["nosniff"], "!x_1": ["", "a\tb", "\u00e4"] };
    assert.ok(http({ headers }));
  });
});

describe("a health check", () => {
  const health = (section: object): unknown => load(`${MINIMAL}health: ${JSON.stringify(section)}\n`).config.health;

  for (const uri of ["u", "ftp://u/", "http://", "http://%zz:x@u/", ""]) {
    it(`asks no ${JSON.stringify(uri)}`, () => {
      assert.match(
        failure(() => health({ http: [{ uri }] })),
        /health\.http\[0\]\.uri is .* must be a URL with http or https/,
      );
    });
  }

  for (const addr of ["h", "h:0", "h:99999", "http://h:1"]) {
    it(`connects to no ${JSON.stringify(addr)}`, () => {
      assert.match(
        failure(() => health({ tcp: [{ addr }] })),
        /health\.tcp\[0\]\.addr is .* must be <host>:<port>/,
      );
    });
  }

  it("has a name of its own", () => {
    assert.ok(health({ file: [{ file: "/a" }, { file: "/b" }], http: [{ uri: "http://a" }], tcp: [{ addr: "a:1" }] }));
    assert.match(
      failure(() => health({ file: [{ file: "/a" }, { file: "/a" }] })),
      /health\.file\[0\]\.file is "\/a", but must be what no other check has/,
    );
  });
});

describe("a hook of the log", () => {
  const hook = (one: object): unknown => load(`${MINIMAL}log: {hooks: [${JSON.stringify(one)}]}\n`).config.log.hooks;
  const options = { smtp: { addr: "mail:25" }, from: "a@b", to: ["c@d"] };

  it("needs a server, a sender and recipients, unless it is disabled", () => {
    assert.ok(hook({ type: "mail", levels: ["panic", "Error"], options }));
    assert.ok(hook({ type: "mail", disabled: true }));
    for (const lacking of [{}, { ...options, to: [] }, { ...options, from: "" }, { ...options, smtp: {} }]) {
      assert.match(
        failure(() => hook({ type: "mail", options: lacking })),
        /log\.hooks\[0\]\.options is .*, but must be with smtp\.addr, from and to, unless the hook is disabled/,
      );
    }
  });

  it("is a mail, of a level that lines have", () => {
    assert.match(
      failure(() => hook({ type: "slack", options })),
      /log\.hooks\[0\]\.type is "slack", but must be/,
    );
    assert.match(
      failure(() => hook({ type: "mail", levels: ["loud"], options })),
      /levels\[0\] is "loud", but must be/,
    );
  });
});

describe("a time that a timer waits", () => {
  const LONGEST = 2 ** 31 - 1;
  const wharfinger = (timeouts: object): unknown =>
    load(`${MINIMAL}wharfinger: ${JSON.stringify({ timeouts })}\n`).config.wharfinger.timeouts;

  it("is cut to what one timer can wait", () => {
    assert.deepEqual(wharfinger({ header: "720h", idle: "720h", body: "720h" }), {
      header: 300_000, // Node refuses more
      idle: LONGEST - 1000, // Node adds a second
      body: LONGEST,
    });
    const { http, health, notifications } = load(
      `${MINIMAL}http: {draintimeout: 720h}\nhealth: {storagedriver: {interval: 720h}}\n` +
        "notifications: {endpoints: [{name: a, url: b, timeout: 720h, backoff: 720h}]}\n",
    ).config;
    assert.equal(http.draintimeout, LONGEST);
    assert.equal(health.storagedriver.interval, LONGEST);
    assert.deepEqual(
      notifications.endpoints.map(({ timeout, backoff }) => [timeout, backoff]),
      [[LONGEST, LONGEST]],
    );
  });

  it("is whole milliseconds, because the server takes no others", () => {
    assert.deepEqual(wharfinger({ header: "1ns", idle: "1500us", body: 30_000_000_000 }), {
      header: 1,
      idle: 2,
      body: 30_000,
    });
  });

  for (const value of [0, "0s", "-1s", 30, 999_999, "30"]) {
    for (const key of ["header", "idle", "body"]) {
      it(`is not ${JSON.stringify(value)} for wharfinger.timeouts.${key}`, () => {
        assert.match(
          failure(() => wharfinger({ [key]: value })),
          /must be a duration above 0 with its unit: write 30s/,
        );
      });
    }
  }

  it("may be 0 for the drain, which then is none", () => {
    assert.equal(load(`${MINIMAL}http: {draintimeout: 0s}\n`).config.http.draintimeout, 0);
  });
});

describe("a file that is not YAML", () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["http: {addr: x\n", /^config\.yml:\d+: is not YAML/],
    ["http:\n\taddr: x\n", /^config\.yml:4: is indented with a tab/],
    ["log: {}\nlog: {}\n", /^config\.yml:4: the key log stands twice/],
    ["log: {a: 1, 'x y z': 1, 'x y z': 2}\n", /^config\.yml:3: this key stands twice/],
    ["http: *nothing\n", /^config\.yml:3: refers to an anchor/],
    ["http: &a [*a]\n", /^config\.yml:3: holds too many or too deep levels/],
    ["? [a]\n: b\n", /^config\.yml:3: has a list or a map as a key/],
    ["<<: x\n", /^config\.yml:3: is a merge key/],
  ];
  for (const [text, message] of cases) {
    it(`is refused with its line: ${JSON.stringify(text)}`, () =>
      assert.match(
        failure(() => load(MINIMAL + text)),
        message,
      ));
  }

  it("is refused without quoting it", () => {
    for (const text of [
      "http: {secret: 'hunter2' hunter2}",
      "http: {secret: @hunter2}",
      'a: "\\hunter2"',
      "a: *hunter2",
      "- hunter2",
    ]) {
      assert.doesNotMatch(
        failure(() => load(`${MINIMAL}${text}\n`)),
        /hunter2/,
      );
    }
  });

  it("is refused when it is nested deeper than anybody needs", () => {
    assert.match(
      failure(() => load("[".repeat(50_000))),
      /^config\.yml/,
    );
  });
});

describe("YAML 1.1", () => {
  const fields = (text: string): unknown => load(`${MINIMAL}log: {fields: {f: ${text}}}\n`).config.log.fields["f"];

  it("has on, off, yes and no, octal numbers, and neither dates nor numbers in base 60", () => {
    const read = ["on", "off", "yes", "No", "010", "0x10", "1_000", "1:30", "2020-01-01", "~", "'on'", "1.5"].map(
      fields,
    );
    assert.deepEqual(read, [true, false, true, false, 8, 16, 1000, "1:30", "2020-01-01", undefined, "on", 1.5]);
  });

  it("does not round a number that is too big", () =>
    assert.equal(fields("12345678901234567890"), "12345678901234567890"));

  it("has merge keys, which give way to keys beside them", () => {
    const text = "x-a: &a {addr: /run/1, host: a}\nx-b: &b {host: b, net: unix}\nhttp: {addr: /run/3, <<: [*a, *b]}\n";
    const { addr, host, net } = load(MINIMAL + text).config.http;
    assert.deepEqual([addr, host, net], ["/run/3", "a", "unix"]);
  });

  it("keeps text as it was written", () => {
    assert.equal(load(`${MINIMAL}http: {secret: 0123, host: yes}\n`).config.http.secret, "0123");
    assert.equal(load(`${MINIMAL}http: {secret: 0123, host: yes}\n`).config.http.host, "yes");
  });

  it("is read up to the end of the first document", () => {
    assert.deepEqual(load(`---\n${MINIMAL}---\nbogus: 1\n`).warnings, []);
  });
});

describe("a time to drain", () => {
  for (const [written, ms] of [
    ["0", 0],
    ["0s", 0],
    ["1m", 60_000],
    ["5000000", 5],
  ] as const) {
    it(`written ${written} is ${ms} ms`, () => {
      assert.equal(load(`${MINIMAL}http: {draintimeout: ${written}}\n`).config.http.draintimeout, ms);
    });
  }
});

describe("a deprecated key", () => {
  it("gives way to the present one", () => {
    assert.equal(load(`${MINIMAL}loglevel: warn\n`).config.log.level, "warn");
    assert.equal(load(`${MINIMAL}loglevel: warn\nlog: {level: debug}\n`).config.log.level, "debug");
    const { redis } = load(`${MINIMAL}redis: {addr: 'a:1', addrs: ['b:2']}\n`).config;
    assert.deepEqual(redis?.addrs, ["b:2"]);
  });

  it("of the descriptor cache names the cache", () => {
    const { config } = load("version: 0.1\nstorage: {inmemory: , cache: {layerinfo: inmemory}}\n");
    assert.deepEqual(config.storage.cache, { blobdescriptor: "inmemory", blobdescriptorsize: 10_000 });
  });

  it("of redis is translated", () => {
    const text = "redis: {addr: 'a:1', pool: {maxidle: 16, maxactive: 64, idletimeout: 300s}}\n";
    const { redis } = load(MINIMAL + text).config;
    assert.deepEqual(redis?.addrs, ["a:1"]);
    assert.deepEqual(
      [redis?.maxidleconns, redis?.poolsize, redis?.maxactiveconns, redis?.connmaxidletime],
      [16, 64, 64, 300_000],
    );
  });

  it("of an endpoint joins the list that replaced it", () => {
    const text =
      "notifications: {endpoints: [{name: a, url: u, ignoredmediatypes: [x, y], ignore: {mediatypes: [y, z]}}]}\n";
    assert.deepEqual(load(MINIMAL + text).config.notifications.endpoints[0]?.ignore, {
      mediatypes: ["y", "z", "x"],
      actions: [],
    });
  });

  for (const [text, disabled] of [
    ["{}", false],
    ["{disabled: true}", true],
    ["{enabled: true, disabled: true}", false],
    ["{enabled: false}", false],
    ["{enabled: false, disabled: true}", true],
  ] as const) {
    it(`of validation means: ${text} is ${disabled ? "off" : "on"}`, () => {
      assert.equal(load(`${MINIMAL}validation: ${text}\n`).config.validation.disabled, disabled);
    });
  }
});

describe("whatever stands in the file or in a variable", () => {
  const yamlish = fc.oneof(
    fc.string({ unit: fc.constantFrom(..."{}[]:,-&*!|>'\"%@`#?~\n\t ab0.<") }),
    fc.json(),
    fc.string({ unit: "binary" }),
  );

  const attempt = (action: () => unknown): void => {
    try {
      action();
    } catch (error) {
      assert.ok(error instanceof ConfigError, String(error));
      assert.doesNotMatch(error.message, /\n/);
    }
  };

  it("is accepted or refused, and nothing else", () => {
    fc.assert(fc.property(yamlish, (text) => attempt(() => load(text))));
    fc.assert(fc.property(yamlish, (text) => attempt(() => load(MINIMAL + text))));
  });

  it("is accepted or refused as the value of any key", () => {
    const rows = fc.constantFrom(...Object.keys(KEYS).filter((row) => !row.includes("=")));
    fc.assert(
      fc.property(rows, fc.nat(8), yamlish, (row, depth, value) => {
        const steps = row
          .replaceAll("[]", ".0")
          .split(".")
          .slice(0, depth + 1);
        attempt(() => parseConfig(MINIMAL, "f", { [`REGISTRY_${steps.join("_").toUpperCase()}`]: value }));
      }),
      { numRuns: 500 },
    );
  });
});
