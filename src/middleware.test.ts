import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { type TemporaryFolder, temporaryFolder } from "../test/support/temporary-folder.ts";
import { ConfigError } from "./config/config-error.ts";
import type { CloudfrontParameters, Middleware } from "./config/middleware-config.ts";
import { openRegistry } from "./library.ts";
import { wrapDriver, wrapRegistry } from "./middleware.ts";
import { parseRepositoryName } from "./oci/names.ts";
import type { Registry, Repository } from "./registry/registry.ts";
import { type BucketDriver, canRedirect, hasBucketKeys, type StorageDriver } from "./storage/driver.ts";
import { MemoryDriver } from "./storage/memory.ts";

const NAME = parseRepositoryName("a/b");
const GET = { method: "GET" } as const;

/** Counts how often it is disposed of. */
class Bucket extends MemoryDriver implements BucketDriver {
  disposals = 0;

  bucketKey(path: string): string {
    return `root${path}`;
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    this.disposals += 1;
  }
}

let folder: TemporaryFolder;
before(async () => {
  folder = await temporaryFolder("middleware");
});
after(() => folder[Symbol.asyncDispose]());

/** Each module has a name of its own, because a module is only loaded once. */
let count = 0;
async function module(text: string): Promise<string> {
  const name = `part-${++count}.mjs`;
  await writeFile(folder.join(name), text);
  return `./${name}`;
}

const entry = (name: string, options: Middleware["options"] = {}): Middleware => ({ name, disabled: false, options });

async function wrapped(driver: StorageDriver, ...list: readonly Middleware[]) {
  const said: string[] = [];
  const warn = (message: string): void => void said.push(message);
  return { driver: await wrapDriver(driver, list, { folder: folder.path, warn }), said };
}

async function fails(action: Promise<unknown>, sentence: string): Promise<void> {
  await assert.rejects(action, (error) => {
    assert.ok(error instanceof ConfigError);
    assert.equal(error.message, sentence);
    return true;
  });
}

describe("middleware of the storage", () => {
  const base = (url: string): Middleware => entry("redirect", { baseurl: new URL(url) });

  it("is put around the driver in the order of the list", async () => {
    const { driver } = await wrapped(
      new Bucket(),
      base("https://first.test"),
      entry("rewrite", { scheme: "http" }),
      entry("rewrite", { host: "last.test" }),
    );
    assert.ok(canRedirect(driver) && hasBucketKeys(driver));
    assert.equal((await driver.redirectUrl("/a", GET))?.href, "http://last.test/a");
    assert.equal(driver.bucketKey("/a"), "root/a");
    const { driver: other } = await wrapped(new Bucket(), entry("rewrite", { host: "b.test" }), base("https://a.test"));
    assert.ok(canRedirect(other));
    assert.equal((await other.redirectUrl("/a", GET))?.href, "https://a.test/a");
  });

  it("may be a module, which is handed the driver and its options", async () => {
    const specifier = await module(`
      import { decorate } from "wharfinger";
      export const wrapDriver = async (driver, options) =>
        decorate(driver, { redirectUrl: async (path) => new URL(options.base + path), inner: driver });
    `);
    const bucket = new Bucket();
    const { driver } = await wrapped(bucket, entry(specifier, { base: "https://own.test" }));
    assert.ok(canRedirect(driver));
    assert.equal((await driver.redirectUrl("/a", GET))?.href, "https://own.test/a");
    assert.equal(Reflect.get(driver, "inner"), bucket);
    await driver[Symbol.asyncDispose]();
    assert.equal(bucket.disposals, 1);
  });

  it("stops the start with one sentence where it cannot be used, and ends the storage", async () => {
    const shape =
      "name, location, getContent, putContent, reader, writer, stat, list, move, delete, [Symbol.asyncDispose]";
    for (const [text, sentence] of [
      ["export const wrapRegistry = 5", "exports no function wrapDriver"],
      ["export const wrapDriver = () => { throw new Error('no\\nway') }", "wrapDriver failed: no way"],
      ["export const wrapDriver = async () => { throw 'no' }", "wrapDriver failed: no"],
      ["export const wrapDriver = () => undefined", `wrapDriver gave no storage driver: it lacks ${shape}`],
      [
        "export const wrapDriver = (driver) => ({ ...driver, name: 'spread', location: '' })",
        `wrapDriver gave no storage driver: it lacks ${shape.slice("name, ".length)}`,
      ],
    ] as const) {
      const specifier = await module(text);
      const bucket = new Bucket();
      await fails(wrapped(bucket, base("https://a.test"), entry(specifier)), `module ${specifier}: ${sentence}`);
      assert.equal(bucket.disposals, 1);
    }
    await fails(wrapped(new Bucket(), entry("./none.js")), `module ./none.js: cannot be found from ${folder.path}`);
  });

  it("signs for CloudFront with the key of a file, in either form of PEM", async () => {
    for (const type of ["pkcs1", "pkcs8"] as const) {
      const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
      await writeFile(folder.join("key.pem"), privateKey.export({ type, format: "pem" }));
      const { driver, said } = await wrapped(new Bucket(), cloudfront("key.pem"));
      assert.ok(canRedirect(driver));
      assert.match((await driver.redirectUrl("/a", GET))?.href ?? "", /^https:\/\/cdn\.test\/root\/a\?Expires=/);
      assert.deepEqual(said, []);
    }
  });

  it("leaves a storage without keys of a bucket alone, with a warning", async () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    await writeFile(folder.join("key.pem"), privateKey.export({ type: "pkcs8", format: "pem" }));
    const { driver, said } = await wrapped(new MemoryDriver(), cloudfront("key.pem"));
    assert.equal(canRedirect(driver), false);
    assert.deepEqual(said, ["the CloudFront middleware does not support this storage driver and does nothing"]);
  });

  it("has no key for CloudFront in a file that is missing, or holds another thing, which is never shown", async () => {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
    const where = "middleware.storage (cloudfront): options.privatekey";
    const expected = `${where}: ${folder.join("key.pem")}: expected an RSA private key in PEM, without a password`;
    for (const text of [
      "a secret",
      privateKey.export({ type: "pkcs8", format: "pem" }),
      publicKey.export({ type: "spki", format: "pem" }),
      rsa.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" }),
    ]) {
      await writeFile(folder.join("key.pem"), text);
      await fails(wrapped(new Bucket(), cloudfront("key.pem")), expected);
    }
    const missing = `ENOENT: no such file or directory, open '${folder.join("none.pem")}'`;
    await fails(wrapped(new Bucket(), cloudfront("none.pem")), `${where}: cannot be read: ${missing}`);
  });

  it("quotes no key that stands where its path should", async () => {
    const where = "middleware.storage (cloudfront): options.privatekey";
    const expected = `${where}: expected the path of a file with an RSA private key in PEM, not the key itself`;
    for (const key of ["-----BEGIN PRIVATE KEY----- S", "S\nS"]) {
      const { options } = cloudfront("key.pem");
      await fails(wrapped(new Bucket(), entry("cloudfront", { ...options, privatekey: key })), expected);
    }
  });

  function cloudfront(file: string): Middleware {
    const options: CloudfrontParameters = {
      ...{ baseurl: new URL("https://cdn.test"), privatekey: folder.join(file), keypairid: "K" },
      ...{ duration: 60_000, ipfilteredby: "none" },
    };
    return entry("cloudfront", options);
  }
});

describe("middleware of the registry and of its repositories", () => {
  /** A module whose parts say what they were wrapped in. */
  const naming = (what: "Registry" | "Repository"): Promise<string> =>
    module(`
      import { decorate } from "wharfinger";
      export const wrap${what} = (part, { mark }) => decorate(part, { marks: [...(part.marks ?? []), mark] });
    `);
  const marksOf = (part: Registry | Repository): unknown => Reflect.get(part, "marks");

  it("is put around them in the order of the lists", async () => {
    const [ofRegistry, ofRepository] = [await naming("Registry"), await naming("Repository")];
    const list = (name: string): readonly Middleware[] => ["a", "b"].map((mark) => entry(name, { mark }));
    const lists = { registry: list(ofRegistry), repository: list(ofRepository) };
    await using registry = await wrapRegistry(openRegistry({ driver: new MemoryDriver() }), lists, folder.path);
    assert.deepEqual(marksOf(registry), ["a", "b"]);
    const repository = registry.repository(NAME);
    assert.deepEqual([repository.name, marksOf(repository)], [NAME, ["a", "b"]]);
  });

  it("sees repositories as the registry's middleware gives them", async () => {
    const outer = await naming("Repository");
    const inner = await module(`
      import { decorate } from "wharfinger";
      export const wrapRegistry = (registry) =>
        decorate(registry, { repository: (name) => decorate(registry.repository(name), { marks: ["registry"] }) });
    `);
    const lists = { registry: [entry(inner)], repository: [entry(outer, { mark: "repository" })] };
    await using registry = await wrapRegistry(openRegistry({ driver: new MemoryDriver() }), lists, folder.path);
    assert.deepEqual(marksOf(registry.repository(NAME)), ["registry", "repository"]);
  });

  it("stops the start with one sentence where it cannot be used, and ends the registry", async () => {
    const services = "blobs, uploads, manifests, tags, referrers, signatures";
    for (const [kind, text, sentence] of [
      ["registry", "", "exports no function wrapRegistry"],
      ["registry", "export const wrapRegistry = () => { throw new Error('no') }", "wrapRegistry failed: no"],
      [
        "registry",
        "export const wrapRegistry = async (registry) => ({ ...registry })",
        "wrapRegistry gave no registry: it lacks repository, repositories, [Symbol.asyncDispose]",
      ],
      ["repository", "export const wrapRegistry = (registry) => registry", "exports no function wrapRepository"],
      ["repository", "export const wrapRepository = () => { throw 5 }", "wrapRepository failed: 5"],
      [
        "repository",
        "export const wrapRepository = async (repository) => repository",
        `wrapRepository gave no repository: it lacks name, ${services}`,
      ],
      [
        "repository",
        "export const wrapRepository = ({ name, blobs }) => ({ name, blobs, tags: null })",
        "wrapRepository gave no repository: it lacks uploads, manifests, tags, referrers, signatures",
      ],
    ] as const) {
      const specifier = await module(text);
      const bucket = new Bucket();
      const lists = { registry: [], repository: [], [kind]: [entry(specifier)] };
      await fails(
        wrapRegistry(openRegistry({ driver: bucket }), lists, folder.path),
        `module ${specifier}: ${sentence}`,
      );
      assert.equal(bucket.disposals, 1);
    }
  });

  it("is told by name where it gives no repository later", async () => {
    const specifier = await module(
      "export const wrapRepository = (repository) => (repository.name === 'wharfinger/probe' ? repository : undefined);",
    );
    const lists = { registry: [], repository: [entry(specifier)] };
    await using registry = await wrapRegistry(openRegistry({ driver: new MemoryDriver() }), lists, folder.path);
    assert.throws(
      () => registry.repository(NAME),
      /^ConfigError: module \.\/part-\d+\.mjs: wrapRepository gave no repos/,
    );
  });

  it("owns the registry", async () => {
    const bucket = new Bucket();
    const lists = {
      registry: [entry(await naming("Registry"), { mark: "a" })],
      repository: [entry(await naming("Repository"), { mark: "b" })],
    };
    const registry = await wrapRegistry(openRegistry({ driver: bucket }), lists, folder.path);
    await registry[Symbol.asyncDispose]();
    assert.equal(bucket.disposals, 1);
  });
});
