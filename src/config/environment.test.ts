import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Config } from "./config.ts";
import { ConfigError } from "./config-error.ts";
import { parseConfig } from "./load.ts";

const MINIMAL = "version: 0.1\nstorage: {inmemory: }\n";

function load(env: Record<string, string>, text: string = MINIMAL): { config: Config; warnings: readonly string[] } {
  return parseConfig(text, "config.yml", env);
}

function failure(env: Record<string, string>, text: string = MINIMAL): string {
  try {
    load(env, text);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.message;
  }
  return assert.fail("the configuration was accepted");
}

describe("a REGISTRY_ variable", () => {
  it("overrides the key it names, and its value is YAML", () => {
    const { config, warnings } = load({ REGISTRY_HTTP_ADDR: ":6000", REGISTRY_HTTP_RELATIVEURLS: "on" });
    assert.equal(config.http.addr, ":6000");
    assert.equal(config.http.relativeurls, true);
    assert.deepEqual(warnings, []);
  });

  it("with a shorter name replaces the section before those with longer names are applied", () => {
    const env = { REGISTRY_HTTP_ADDR: ":6000", REGISTRY_HTTP: "{addr: ':7000', host: x}" };
    const { http } = load(env, `${MINIMAL}http: {prefix: /p/}\n`).config;
    assert.deepEqual([http.addr, http.host, http.prefix], [":6000", "x", ""]);
  });

  it("names keys in any case", () => {
    assert.equal(load({ REGISTRY_http_Addr: ":6000" }).config.http.addr, ":6000");
  });

  it("that is no key is warned of once and ignored", () => {
    const { warnings } = load({
      REGISTRY_BOGUS: "1",
      REGISTRY_HTTP_ADR: ":1",
      REGISTRY_HTTP_ADDR_X: "1",
      REGISTRY_: "",
    });
    assert.deepEqual(
      warnings.toSorted(),
      ["REGISTRY_", "REGISTRY_BOGUS", "REGISTRY_HTTP_ADDR_X", "REGISTRY_HTTP_ADR"].map(
        (name) => `ignoring unrecognized environment variable ${name}`,
      ),
    );
  });

  it("for the path of the file or for the version is no key and no mistake", () => {
    const { config, warnings } = load({ REGISTRY_CONFIGURATION_PATH: "/x", REGISTRY_VERSION: "0.2" });
    assert.equal(config.version, "0.1");
    assert.deepEqual(warnings, []);
  });

  it("of another prefix is not looked at", () => {
    assert.deepEqual(load({ REGISTRYHTTP: "1", registry_http: "5", PATH: "/bin" }).warnings, []);
  });

  const aliases: readonly (readonly [string, string, (config: Config) => unknown, unknown])[] = [
    ["REGISTRY_HEALTH_STORAGEDRIVER_ENABLED", "true", (c) => c.health.storagedriver.enabled, true],
    ["REGISTRY_HEALTH_FILECHECKERS", "[{file: /down}]", (c) => c.health.file[0]?.file, "/down"],
    ["REGISTRY_HEALTH_FILE", "[{file: /down}]", (c) => c.health.file[0]?.file, "/down"],
    ["REGISTRY_HEALTH_HTTPCHECKERS", "[{uri: http://u}]", (c) => c.health.http[0]?.uri, "http://u"],
    ["REGISTRY_HEALTH_HTTP", "[{uri: http://u}]", (c) => c.health.http[0]?.uri, "http://u"],
    ["REGISTRY_HEALTH_TCPCHECKERS_0_ADDR", "h:1", (c) => c.health.tcp[0]?.addr, "h:1"],
    ["REGISTRY_HEALTH_TCP", "[{addr: 'h:1'}]", (c) => c.health.tcp[0]?.addr, "h:1"],
    [
      "REGISTRY_NOTIFICATIONS_EVENTCONFIG_INCLUDEREFERENCES",
      "yes",
      (c) => c.notifications.events.includereferences,
      true,
    ],
    ["REGISTRY_NOTIFICATIONS_EVENTS_INCLUDEREFERENCES", "yes", (c) => c.notifications.events.includereferences, true],
    ["REGISTRY_COMPATIBILITY_SCHEMA1_TRUSTKEY", "/k", (c) => c.compatibility.schema1.signingkeyfile, "/k"],
    ["REGISTRY_COMPATIBILITY_SCHEMA1_SIGNINGKEYFILE", "/k", (c) => c.compatibility.schema1.signingkeyfile, "/k"],
  ];
  for (const [name, value, read, expected] of aliases) {
    it(`${name} is understood`, () => {
      const { config, warnings } = load({ [name]: value });
      assert.equal(read(config), expected);
      assert.ok(!warnings.some((warning) => warning.includes("unrecognized")));
    });
  }

  for (const name of ["MAILOPTIONS", "OPTIONS"]) {
    it(`REGISTRY_LOG_HOOKS_0_${name} sets the options of a hook`, () => {
      const { config } = load(
        { [`REGISTRY_LOG_HOOKS_0_${name}_FROM`]: "me" },
        `${MINIMAL}log: {hooks: [{type: mail, options: {smtp: {addr: "m:25"}, to: [you]}}]}\n`,
      );
      assert.deepEqual(config.log.hooks[0]?.options, {
        from: "me",
        smtp: { addr: "m:25", insecure: false },
        to: ["you"],
      });
    });
  }

  it("finds a key of a map in any case and makes a new one in lower case", () => {
    const env = { "REGISTRY_HTTP_HEADERS_X-FOO": "[b]", "REGISTRY_HTTP_HEADERS_X-BAR": "[c]" };
    const { config } = load(env, `${MINIMAL}http: {headers: {X-Foo: [a]}}\n`);
    assert.deepEqual(config.http.headers, { "X-Foo": ["b"], "x-bar": ["c"] });
  });

  it("gives a map whole, with the case of its keys", () => {
    assert.deepEqual(load({ REGISTRY_HTTP_HEADERS: "{X-Bar: [a, b]}" }).config.http.headers, { "X-Bar": ["a", "b"] });
  });

  it("makes maps within free maps", () => {
    assert.deepEqual(load({ REGISTRY_LOG_FIELDS_A_B: "1" }).config.log.fields, { a: { b: 1 } });
  });

  for (const env of [
    { REGISTRY_STORAGE_MAINTENANCE_READONLY_ENABLED: "true" },
    { REGISTRY_STORAGE_MAINTENANCE_READONLY: "{enabled: true}" },
  ]) {
    it(`${Object.keys(env)[0]} switches to read-only`, () => {
      assert.equal(load(env).config.storage.maintenance.readonly.enabled, true);
    });
  }

  it("that is empty is null, which names a driver", () => {
    const { driver } = load({ REGISTRY_STORAGE: "", REGISTRY_STORAGE_INMEMORY: "" }).config.storage;
    assert.deepEqual(driver, { name: "inmemory", parameters: {} });
  });

  it("that is empty takes back what the file set", () => {
    assert.equal(load({ REGISTRY_HTTP_ADDR: "" }, `${MINIMAL}http: {addr: ':1'}\n`).config.http.addr, "");
  });

  it("sets, appends and fills items of lists by index", () => {
    const file = `${MINIMAL}notifications: {endpoints: [{name: a, url: u}]}\n`;
    const env = {
      REGISTRY_NOTIFICATIONS_ENDPOINTS_0_URL: "v",
      REGISTRY_NOTIFICATIONS_ENDPOINTS_1_NAME: "b",
      REGISTRY_NOTIFICATIONS_ENDPOINTS_1_URL: "w",
      REGISTRY_NOTIFICATIONS_ENDPOINTS_1_IGNORE_ACTIONS_0: "pull",
    };
    const { endpoints } = load(env, file).config.notifications;
    assert.deepEqual(
      endpoints.map(({ name, url, ignore }) => [name, url, ...ignore.actions]),
      [
        ["a", "v"],
        ["b", "w", "pull"],
      ],
    );
  });

  it("gives a list whole", () => {
    assert.deepEqual(load({ REGISTRY_REDIS_ADDRS: "['a:1', 'b:2']" }).config.redis?.addrs, ["a:1", "b:2"]);
  });

  it("must not skip items of a list", () => {
    assert.equal(failure({ REGISTRY_REDIS_ADDRS_1: "x" }), "REGISTRY_REDIS_ADDRS_1: undefined index 1, must be 0 to 0");
  });

  it("must name an item of a list by its number", () => {
    assert.match(
      failure({ REGISTRY_REDIS_ADDRS_FIRST: "x" }),
      /^REGISTRY_REDIS_ADDRS_FIRST: "first" must be the index/,
    );
  });

  it("reads both spellings of the address of redis", () => {
    assert.deepEqual(load({ REGISTRY_REDIS_ADDR: "a:1" }).config.redis?.addrs, ["a:1"]);
  });

  it("switches the driver when the section is replaced first", () => {
    const env = { REGISTRY_STORAGE: "filesystem", REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY: "/r" };
    const { driver } = load(env).config.storage;
    assert.deepEqual(driver, { name: "filesystem", parameters: { rootdirectory: "/r", maxthreads: 100 } });
  });

  it("leaves two drivers where the section is not replaced", () => {
    const message = failure({ REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY: "/r" });
    assert.match(
      message,
      /^REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY: multiple storage drivers specified in configuration or environment: inmemory, filesystem;/,
    );
  });

  it("makes sections and items of sections that the file does not have", () => {
    const env = { REGISTRY_PROXY_EXEC_COMMAND: "helper", REGISTRY_PROXY_TTL: "0" };
    assert.deepEqual(load(env).config.proxy, { exec: { command: "helper" }, ttl: 0, cachewritetimeout: 300_000 });
  });

  it("sets keys of our own", () => {
    assert.equal(load({ REGISTRY_WHARFINGER_TIMEOUTS_BODY: "5s" }).config.wharfinger.timeouts.body, 5000);
  });

  it("keeps a text as it was written, also where it looks like a number", () => {
    assert.equal(load({ REGISTRY_HTTP_SECRET: "0123" }).config.http.secret, "0123");
  });

  it("cannot make a section of a single value", () => {
    const message = failure(
      { REGISTRY_HTTP_HOST_X: "1", REGISTRY_HTTP_DEBUG_ADDR: "x" },
      `${MINIMAL}http: {debug: 5}\n`,
    );
    assert.equal(
      message,
      "REGISTRY_HTTP_DEBUG_ADDR: there is no such key, because http.debug is no section in config.yml:3",
    );
  });

  it("with a bad value is named in the error", () => {
    assert.match(
      failure({ REGISTRY_HTTP_DRAINTIMEOUT: "soon" }),
      /^REGISTRY_HTTP_DRAINTIMEOUT: http\.draintimeout is "soon", but must be a duration/,
    );
  });

  it("that is not YAML is named in the error, without its value", () => {
    const message = failure({ REGISTRY_HTTP_SECRET: "[hunter2" });
    assert.match(message, /^REGISTRY_HTTP_SECRET: is not YAML/);
    assert.doesNotMatch(message, /hunter2/);
  });
});
