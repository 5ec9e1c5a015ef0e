import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { type TemporaryFolder, temporaryFolder } from "../test/support/temporary-folder.ts";
import { ConfigError } from "./config/config-error.ts";
import { parseConfig } from "./config/load.ts";
import { digestOf } from "./oci/digest.ts";
import type { ManifestKind } from "./oci/manifest-kind.ts";
import { parseRepositoryName } from "./oci/names.ts";
import { loadOwnKinds } from "./own-parts.ts";
import { openCache, openDriver } from "./parts.ts";
import type { StorageDriver } from "./storage/driver.ts";
import { PathNotFound } from "./storage/errors.ts";

const DRIVER = `
  import { MemoryDriver } from "wharfinger";
  export class Tape extends MemoryDriver { name = "tape"; how; constructor(how) { super(); this.how = how } }
  export const openDriver = (...how) => new Tape(how);
`;

describe("a part that is named by its module", () => {
  let folder: TemporaryFolder;
  before(async () => {
    folder = await temporaryFolder("parts");
  });
  after(() => folder[Symbol.asyncDispose]());

  /** Each module has a name of its own, because a module is only loaded once. */
  let count = 0;
  async function module(text: string, name = `part-${++count}.mjs`): Promise<string> {
    await writeFile(folder.join(name), text);
    return `./${name}`;
  }

  async function install(name: string, entry: string, text: string): Promise<void> {
    await mkdir(folder.join("node_modules", name), { recursive: true });
    const manifest = { name, type: "module", exports: { ".": { import: `./${entry}` }, "./tape": `./${entry}` } };
    await writeFile(folder.join("node_modules", name, "package.json"), JSON.stringify(manifest));
    await writeFile(folder.join("node_modules", name, entry), text);
  }

  const open = (name: string, from = folder.path): Promise<StorageDriver> =>
    openDriver({ name, parameters: { speed: 5 } }, { writable: true }, from);
  const kindsOf = (specifiers: readonly string[], known: readonly ManifestKind[] = []) =>
    loadOwnKinds(specifiers, folder.path, known);

  const fails = (action: Promise<unknown>, sentence: string): Promise<void> =>
    assert.rejects(action, (error) => {
      assert.ok(error instanceof ConfigError);
      assert.equal(error.message, sentence);
      return true;
    });

  it("is handed its parameters and whether anything will be written", async () => {
    const driver = await open(await module(DRIVER));
    assert.deepEqual(Reflect.get(driver, "how"), [{ speed: 5 }, { writable: true }]);
  });

  it("is found by a path, a URL, or a package that is installed where the configuration lies", async () => {
    const specifier = await module(DRIVER);
    await install("tape", "driver.js", DRIVER);
    await install("@example/tape", "driver.js", DRIVER);
    const path = folder.join(specifier);
    for (const name of [
      specifier,
      path,
      pathToFileURL(path).href,
      "@example/tape",
      "@example/tape/tape",
      "tape/tape",
    ]) {
      assert.equal((await open(name)).name, "tape", name);
    }
    await fails(open("tape/tape", "/"), "module tape/tape: cannot be found from /");
  });

  it("throws the errors of this program, also where it is a CommonJS module or has a wharfinger of its own", async () => {
    await install("wharfinger", "index.js", "export class PathNotFound extends Error {}; export class MemoryDriver {}");
    const common = 'const { MemoryDriver } = require("wharfinger"); exports.openDriver = () => new MemoryDriver();';
    for (const specifier of [await module(DRIVER), await module(common, "common.cjs")]) {
      const driver = await open(specifier);
      await assert.rejects(driver.stat("/nothing"), PathNotFound);
    }
  });

  it("is told by name where it is not to be found", async () => {
    await fails(open("./none.js"), `module ./none.js: cannot be found from ${folder.path}`);
    await fails(open("./"), `module ./: cannot be found from ${folder.path}`);
    await fails(open("@example/none"), `module @example/none: cannot be found from ${folder.path}`);
    await fails(open("s3://bucket"), "module s3://bucket: cannot be found: The URL must be of scheme file");
    await assert.rejects(open("tape/none"), /module tape\/none: cannot be found: Package subpath '\.\/none' is not/);
  });

  it("is told by name where it cannot be loaded", async () => {
    const [wrong, needy] = [await module("export const ="), await module('import "./nowhere.js"')];
    await fails(open(wrong), `module ${wrong}: cannot be loaded: Unexpected token '='`);
    await assert.rejects(
      open(needy),
      /^ConfigError: module \.\/\S+: cannot be loaded: Cannot find module '.*nowhere\.js'/,
    );
  });

  it("must open a driver that has everything a registry needs", async () => {
    const cases: readonly (readonly [string, string])[] = [
      ["export const x = 1", "exports no function openDriver"],
      ["export const openDriver = {}", "exports no function openDriver"],
      ['export const openDriver = async () => { throw new Error("no\\ntape") }', "openDriver failed: no tape"],
      ['export const openDriver = () => { throw "jam" }', "openDriver failed: jam"],
      [
        "export const openDriver = () => undefined",
        "openDriver gave no storage driver: it lacks name, location, getContent, putContent, reader, writer, stat, list, move, delete, [Symbol.asyncDispose]",
      ],
      [
        `${DRIVER} Tape.prototype.list = Tape.prototype.move = 5;`,
        "openDriver gave no storage driver: it lacks list, move",
      ],
    ];
    for (const [text, sentence] of cases) {
      const specifier = await module(text);
      await fails(open(specifier), `module ${specifier}: ${sentence}`);
    }
  });

  it("may be a kind of manifests", async () => {
    const kind = (type: string): string => `export const manifestKind = { mediaTypes: ["${type}"], parse() {} };`;
    const [model, data] = [await module(kind("application/x.model+json")), await module(kind("application/x.data"))];
    const kinds = await kindsOf([model, data]);
    assert.deepEqual(
      kinds.map(({ mediaTypes }) => mediaTypes),
      [["application/x.model+json"], ["application/x.data"]],
    );
    await fails(
      kindsOf([data], kinds),
      `module ${data}: has the media type application/x.data, which another kind of manifests has already`,
    );
    const again = await module(kind("application/x.model+json"));
    await fails(
      kindsOf([model, again]),
      `module ${again}: has the media type application/x.model+json, which another kind of manifests has already`,
    );
  });

  it("must be a whole kind of manifests", async () => {
    const types = "mediaTypes (a list of media types in lower case)";
    const cases: readonly (readonly [string, string])[] = [
      ["undefined", `${types}, parse`],
      ["{ parse() {} }", types],
      ["{ mediaTypes: [], parse() {} }", types],
      ['{ mediaTypes: ["application/Model"], parse() {} }', types],
      ['{ mediaTypes: ["a/b; c=d"], parse() {} }', types],
      ['{ mediaTypes: ["a/b", 5], parse() {} }', types],
      ['{ mediaTypes: ["a/b"], parse: 5 }', "parse"],
      ['{ mediaTypes: ["a/b"], parse() {}, signing: { open() {} } }', "a whole signing (open, verify, print)"],
    ];
    for (const [value, lacking] of cases) {
      const specifier = await module(`export const manifestKind = ${value};`);
      await fails(kindsOf([specifier]), `module ${specifier}: exports no manifestKind: it lacks ${lacking}`);
    }
  });
});

describe("a cache of descriptors in memory", () => {
  const DIGESTS = ["a", "b", "c"].map((text) => digestOf(Buffer.from(text)));

  for (const [size, kept] of [
    [1, [false, false, true]],
    [2, [false, true, true]],
    [3, [true, true, true]],
  ] as const) {
    it(`keeps as many as storage.cache.blobdescriptorsize says: ${size}`, async () => {
      const text = `version: 0.1\nstorage: {inmemory: {}, cache: {blobdescriptor: inmemory, blobdescriptorsize: ${size}}}`;
      const cache = await openCache(parseConfig(text, "f", {}).config, () => undefined);
      const { blobs } = cache ?? assert.fail("there is a cache");
      const name = parseRepositoryName("a");
      for (const digest of DIGESTS) await blobs.set(name, digest, { target: digest, size: 1 });
      const found = await Promise.all(DIGESTS.map((digest) => blobs.get(name, digest)));
      assert.deepEqual(
        found.map((one) => one !== undefined),
        kept,
      );
    });
  }
});
