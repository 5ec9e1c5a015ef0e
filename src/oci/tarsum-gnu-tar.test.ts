import assert from "node:assert/strict";
import { link, mkdir, open, readFile, symlink, writeFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { run, tryRun } from "../../test/support/run.ts";
import { readTar, tarsumByHand } from "../../test/support/tarsum.ts";
import { TarsumAtOnce } from "../../test/support/tarsum-at-once.ts";
import { type TemporaryFolder, temporaryFolder } from "../../test/support/temporary-folder.ts";
import type { TarsumVersion } from "./tarsum.ts";

const FORMATS = ["v7", "ustar", "oldgnu", "gnu", "pax"] as const;
/** Names as long as these need extensions, or prefixes. */
const LONG = `deep/${"directory/".repeat(12)}`;
const HUGE = "n".repeat(220);

function tarsum(tar: Buffer, version: TarsumVersion): string {
  const hash = new TarsumAtOnce({ version, algorithm: "sha256" });
  for (let start = 0; start < tar.length; start += 10_007) hash.update(tar.subarray(start, start + 10_007));
  return hash.digest();
}

describe("the tarsum of what GNU tar writes", { skip: await unlessGnuTar() }, () => {
  let folder: TemporaryFolder;

  before(async () => {
    folder = await temporaryFolder("tarsum");
    await makeTree(folder.join("tree"));
  });
  after(() => folder[Symbol.asyncDispose]());

  /** A tar of this folder of the tree. */
  const tarOf = async (source: string, ...options: readonly string[]): Promise<Buffer> => {
    const path = folder.join(`${crypto.randomUUID()}.tar`);
    const owner = ["--owner=someone:1000", "--group=some:3000000", "--mtime=2015-04-16T21:00:00.25Z"];
    await run("tar", ["-C", folder.join("tree"), ...owner, ...options, "-cf", path, source]);
    return readFile(path);
  };

  for (const format of FORMATS) {
    const source = format === "v7" ? "plain" : format === "ustar" ? "ustar" : ".";
    it(`is that of a plain reading: ${format}`, async () => {
      const owner = format === "gnu" || format === "pax" || format === "oldgnu" ? [] : ["--group=some:100"];
      const tar = await tarOf(source, `--format=${format}`, ...owner);
      assert.ok(readTar(tar).length > 3);
      for (const version of ["v0", "v1", "dev"] as const) {
        assert.equal(tarsum(tar, version), tarsumByHand(tar, version));
      }
    });
  }

  it("knows long names, links and large owners in both forms of them", async () => {
    for (const format of ["gnu", "pax"]) {
      const entries = readTar(await tarOf(".", `--format=${format}`));
      assert.ok(entries.some(({ name }) => name === `./${LONG}${HUGE}`));
      assert.ok(entries.some(({ typeflag, linkname }) => typeflag === "2" && linkname === `${LONG}${HUGE}`));
      assert.ok(entries.some(({ typeflag }) => typeflag === "1"));
      assert.ok(entries.every(({ numbers }) => numbers.gid === 3_000_000n && numbers.mtime === 1429218000n));
    }
  });

  it("is the same in v1 for both formats, which say the same in two ways", async () => {
    const [gnu, pax] = [await tarOf(".", "--format=gnu"), await tarOf(".", "--format=pax")];
    assert.notEqual(gnu.length, pax.length);
    for (const version of ["v0", "v1"] as const) assert.equal(tarsum(gnu, version), tarsum(pax, version));
  });

  it("is the same whichever way the names are sorted", async () => {
    const [some, other] = [await tarOf(".", "--sort=name"), await tarOf(".", "--sort=inode")];
    assert.equal(tarsum(some, "v1"), tarsum(other, "v1"));
  });

  for (const version of ["0.0", "0.1", "1.0"]) {
    it(`is the same with and without holes: sparse version ${version}`, async () => {
      const sparse = ["--sparse", `--sparse-version=${version}`, "--hole-detection=raw"];
      const tar = await tarOf("sparse", "--format=pax", ...sparse);
      const whole = await tarOf("sparse", "--format=pax");
      assert.ok(tar.length < whole.length / 2, "GNU tar made no holes");
      assert.equal(tarsum(tar, "v1"), tarsum(whole, "v1"));
      assert.equal(tarsum(tar, "v0"), tarsum(whole, "v0"));
      assert.equal(tarsumByHand(tar, "v1"), tarsum(whole, "v1"));
    });
  }

  it("is of every byte of a sparse file in the old form, whose type differs", async () => {
    const tar = await tarOf("sparse", "--format=gnu", "--sparse", "--hole-detection=raw");
    const whole = await tarOf("sparse", "--format=gnu");
    assert.ok(tar.length < whole.length / 2, "GNU tar made no holes");
    assert.equal(tarsum(tar, "v0"), tarsumByHand(tar, "v0"));
    const contents = (bytes: Buffer): readonly Buffer[] => readTar(bytes).map(({ content }) => content);
    assert.deepEqual(contents(tar), contents(whole));
    assert.ok(readTar(tar).some(({ typeflag }) => typeflag === "S"));
  });

  it("is of attributes that GNU tar writes", async () => {
    const option = "SCHILY.xattr.user.b:=two,SCHILY.xattr.user.a:=one";
    const tar = await tarOf("plain", "--format=pax", `--pax-option=${option}`);
    const [first] = readTar(tar);
    assert.deepEqual(Object.fromEntries(first?.xattrs ?? []), { "user.a": "one", "user.b": "two" });
    for (const version of ["v0", "v1"] as const) assert.equal(tarsum(tar, version), tarsumByHand(tar, version));
    const without = await tarOf("plain", "--format=pax");
    assert.equal(tarsum(tar, "v0"), tarsum(without, "v0"));
    assert.notEqual(tarsum(tar, "v1"), tarsum(without, "v1"));
  });
});

async function makeTree(root: string): Promise<void> {
  await mkdir(`${root}/plain`, { recursive: true });
  await mkdir(`${root}/ustar/${LONG}`, { recursive: true });
  await mkdir(`${root}/${LONG}`, { recursive: true });
  await mkdir(`${root}/sparse`);
  for (const [name, size] of [
    ["empty", 0],
    ["one", 1],
    ["block", 512],
    ["more", 70_001],
  ] as const) {
    await writeFile(`${root}/plain/${name}`, Buffer.alloc(size, name));
    await writeFile(`${root}/ustar/${LONG}${name}`, Buffer.alloc(size, name));
  }
  await link(`${root}/plain/one`, `${root}/plain/same`);
  await symlink("one", `${root}/plain/link`);
  await writeFile(`${root}/${LONG}${HUGE}`, "found");
  await link(`${root}/${LONG}${HUGE}`, `${root}/hard`);
  await symlink(`${LONG}${HUGE}`, `${root}/soft`);
  await run("mkfifo", [`${root}/pipe`]);
  await makeSparse(`${root}/sparse/few`, [[65_536, "a".repeat(5000)]]);
  await makeSparse(
    `${root}/sparse/many`,
    Array.from({ length: 60 }, (_, i) => [i * 16_384, `${i} `] as const),
  );
  await makeSparse(`${root}/sparse/nothing`, []);
}

async function makeSparse(path: string, fragments: readonly (readonly [number, string])[]): Promise<void> {
  await using file = await open(path, "w");
  for (const [offset, text] of fragments) await file.write(text, offset);
  await file.truncate(1_000_000);
}

async function unlessGnuTar(): Promise<false | string> {
  const { stdout } = await tryRun("tar", ["--version"]).catch(() => ({ stdout: "" }));
  if (stdout.includes("GNU tar")) return false;
  if (process.env["CI"] === "true") throw new Error("GNU tar is missing; with CI=true this must run");
  return "GNU tar is missing";
}
