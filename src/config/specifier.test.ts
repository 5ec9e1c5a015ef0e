import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DriverConfig } from "./config.ts";
import { examine } from "./examined.ts";
import { toLine } from "./finding.ts";
import { parseConfig } from "./load.ts";

type Env = Record<string, string>;

function driverOf(storage: string, env: Env = {}): DriverConfig {
  const { config, warnings } = parseConfig(`version: 0.1\nstorage: ${storage}\n`, "f", env);
  assert.deepEqual(warnings, []);
  return config.storage.driver;
}

function lines(storage: string, env: Env = {}): string[] {
  return examine(`version: 0.1\nstorage: ${storage}\n`, "f", env).findings.map(toLine);
}

describe("a storage driver of the operator's own", () => {
  for (const specifier of [
    "./tape.js",
    "../drivers/tape.ts",
    "/opt/x/tape.js",
    "@example/tape",
    "example/tape.js",
    "file:///opt/tape.js",
    "file:tape.js",
  ]) {
    it(`is named by the specifier ${specifier}`, () => {
      assert.deepEqual(driverOf(`{"${specifier}": {}}`), { name: specifier, parameters: {} });
      assert.deepEqual(driverOf(`"${specifier}"`), { name: specifier, parameters: {} });
      assert.deepEqual(driverOf("inmemory", { REGISTRY_STORAGE: `"${specifier}"` }).name, specifier);
    });
  }

  it("is handed its parameters as YAML has them", () => {
    const { parameters } = driverOf("{./tape.js: {a: on, b: 010, c: '010', d: [1.5, {E: f}], g: , h/i: 5s}}");
    assert.deepEqual(parameters, { a: true, b: 8, c: "010", d: [1.5, { E: "f" }], "h/i": "5s" });
  });

  it("stands beside the other sections of the storage", () => {
    const { storage } = parseConfig(
      "version: 0.1\nstorage:\n  delete: {enabled: true}\n  ./tape.js:\n    speed: 5\n",
      "f",
      {},
    ).config;
    assert.deepEqual([storage.delete.enabled, storage.driver.parameters], [true, { speed: 5 }]);
  });

  it("has parameters that are a map", () => {
    for (const [written, found] of [
      ["5", '"5"'],
      ["[a]", "a list"],
    ]) {
      assert.deepEqual(lines(`{./tape.js: ${written}}`), [`f:2: storage."./tape.js" is ${found}, but must be a map`]);
    }
  });

  it("is the only driver", () => {
    assert.deepEqual(lines("{inmemory: , ./tape.js: }"), [
      "f:2: must provide exactly one storage type. Provided: [inmemory ./tape.js]",
    ]);
    assert.deepEqual(lines("\n  ./tape.js:\n  chache:\n  /tape.js:"), [
      "f:4: must provide exactly one storage type. Provided: [./tape.js chache /tape.js] (did you mean cache instead of chache?)",
    ]);
  });

  it("takes its parameters from the whole section in a variable, and from no variable of their own", () => {
    const env = { REGISTRY_STORAGE: "{./tape.js: {Root: /t}, delete: {enabled: on}}" };
    assert.deepEqual(driverOf("inmemory", env), { name: "./tape.js", parameters: { Root: "/t" } });
    assert.match(
      lines("./tape.js", { REGISTRY_STORAGE_TAPE_ROOT: "/t" }).join(),
      /: multiple storage drivers specified/,
    );
  });

  it("is not meant where a built-in one is misspelt", () => {
    assert.deepEqual(lines("{filesytem: {rootdirectory: /a/b}}"), [
      "f:2: storage.filesytem is no driver, must be filesystem, inmemory, s3 or s3aws",
    ]);
  });
});

describe("kinds of manifests of the operator's own", () => {
  const load = (kinds: string, env: Env = {}): readonly string[] =>
    parseConfig(`version: 0.1\nstorage: inmemory\nwharfinger: {manifestkinds: ${kinds}}\n`, "f", env).config.wharfinger
      .manifestkinds;

  it("are named by specifiers, in a list or by their numbers in variables", () => {
    assert.deepEqual(load(""), []);
    assert.deepEqual(load("[./a.js, b]", { REGISTRY_WHARFINGER_MANIFESTKINDS_2: '"@c/d"' }), ["./a.js", "b", "@c/d"]);
  });

  for (const [written, found, accepted] of [
    ["./a.js", '"./a.js"', "a list"],
    ["['']", '""', "the specifier of a module, such as ./kinds/model.js"],
    ["[{a: b}]", "a map", "the specifier of a module, such as ./kinds/model.js"],
  ] as const) {
    it(`are not ${written}`, () => {
      const key = written.startsWith("[") ? "wharfinger.manifestkinds[0]" : "wharfinger.manifestkinds";
      assert.throws(() => load(written), { message: `f:3: ${key} is ${found}, but must be ${accepted}` });
    });
  }
});
