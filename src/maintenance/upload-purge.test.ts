import assert from "node:assert/strict";
import { mkdir, stat } from "node:fs/promises";
import { describe, test } from "node:test";
import { contentsOf } from "../../test/support/api-content.ts";
import { AtomicMemory } from "../../test/support/atomic-memory.ts";
import { failingDriver } from "../../test/support/failing-driver.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { PathMapper } from "../registry/paths.ts";
import type { StorageDriver } from "../storage/driver.ts";
import { StorageError } from "../storage/errors.ts";
import { openFilesystem } from "../storage/filesystem.ts";
import { MemoryDriver } from "../storage/memory.ts";
import { type PurgeOptions, purgeUploads } from "./upload-purge.ts";

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 10, 21, 12);
const OPTIONS: PurgeOptions = { age: 24 * HOUR, dryRun: false, now: NOW };
const ID = "6ba7b810-9dad-41d1-80b4-00c04fd430c";

describe("the purge of uploads", () => {
  test("removes sessions begun before the age, and no others, in every repository that has any", async () => {
    const driver = new MemoryDriver();
    const old = [
      await begin(driver, "a", 1, 25),
      await begin(driver, "only/uploads", 2, 1000),
      await begin(driver, "a/b", 3, 24.001),
    ];
    const young = [
      await begin(driver, "a", 4, 0),
      await begin(driver, "a", 5, 23.999),
      await begin(driver, "a/b", 6, -5),
    ];
    assert.deepEqual(await purgeUploads({ driver, paths: new PathMapper() }, OPTIONS), { deleted: 3, errors: [] });
    const paths = Object.keys(await contentsOf(driver));
    for (const path of old) assert.ok(!paths.includes(path), path);
    for (const path of young) assert.ok(paths.includes(`${path}/data`), path);
  });

  test("finds without removing in a dry run", async () => {
    const driver = new MemoryDriver();
    await begin(driver, "a", 1, 25);
    await begin(driver, "a", 2, 1);
    const before = await contentsOf(driver);
    assert.deepEqual(await purgeUploads({ driver, paths: new PathMapper() }, { ...OPTIONS, dryRun: true }), {
      deleted: 1,
      errors: [],
    });
    assert.deepEqual(await contentsOf(driver), before);
  });

  test("goes by the newest time in a folder whose start cannot be read", async () => {
    let now = NOW - 48 * HOUR;
    const driver = new MemoryDriver({ now: () => now });
    const lost = "/docker/registry/v2/repositories/a/_uploads";
    await driver.putContent(`${lost}/${ID}1/data`, Buffer.from("x"));
    await driver.putContent(`${lost}/${ID}2/startedat`, Buffer.from("no time"));
    await driver.putContent(`${lost}/${ID}3/hashstates/sha256/0`, Buffer.from("x"));
    await driver.putContent(`${lost}/${ID}4/hashstates/sha256/0`, Buffer.from("x"));
    await driver.putContent(`${lost}/${ID}5/startedat`, Buffer.from(""));
    now = NOW - HOUR;
    await driver.putContent(`${lost}/${ID}4/hashstates/sha256/1`, Buffer.from("x"));
    await driver.putContent(`${lost}/${ID}5/data`, Buffer.from("x"));
    assert.deepEqual(await purgeUploads({ driver, paths: new PathMapper() }, OPTIONS), { deleted: 3, errors: [] });
    assert.deepEqual((await driver.list(lost)).sort(), [`${ID}4`, `${ID}5`]);
  });

  test("removes an empty folder on a filesystem by its own time", async () => {
    await using folder = await temporaryFolder("purge");
    const driver = await openFilesystem({ rootdirectory: folder.path });
    const session = `docker/registry/v2/repositories/a/_uploads/${ID}1`;
    await mkdir(folder.join(session), { recursive: true });
    assert.equal(
      (await purgeUploads({ driver, paths: new PathMapper() }, { ...OPTIONS, now: Date.now() + 23 * HOUR })).deleted,
      0,
    );
    assert.deepEqual(
      await purgeUploads({ driver, paths: new PathMapper() }, { ...OPTIONS, now: Date.now() + 25 * HOUR }),
      {
        deleted: 1,
        errors: [],
      },
    );
    await assert.rejects(stat(folder.join(session)), { code: "ENOENT" });
  });

  test("understands a peer's session: nanoseconds, another zone, a newline, any version of UUID, hash states", async () => {
    const driver = new MemoryDriver();
    const sessions = "/docker/registry/v2/repositories/Old/name/_uploads";
    const starts = ["2026-11-19T00:00:00.123456789Z", "2026-11-19T01:00:00+01:00", "2026-11-19T00:00:00Z\n"];
    for (const [i, started] of starts.entries()) {
      await driver.putContent(`${sessions}/0191a2b3-0000-7000-8000-00000000000${i}/startedat`, Buffer.from(started));
      await driver.putContent(
        `${sessions}/0191a2b3-0000-7000-8000-00000000000${i}/hashstates/sha256/7`,
        Buffer.from(""),
      );
    }
    assert.deepEqual(await purgeUploads({ driver, paths: new PathMapper() }, OPTIONS), { deleted: 3, errors: [] });
  });

  test("touches nothing that is no session of a repository", async () => {
    const driver = new MemoryDriver();
    const root = "/docker/registry/v2/repositories";
    const started = Buffer.from("2020-01-01T00:00:00Z");
    for (const path of [
      `${root}/a/_uploads/not-a-uuid/startedat`,
      `${root}/a/_manifests/${ID}1/startedat`,
      `${root}/a/_layers/_uploads/${ID}1/startedat`,
      `${root}/_uploads/${ID}1/startedat`,
      `${root}/a/uploads/${ID}1/startedat`,
      `/docker/registry/v2/blobs/_uploads/${ID}1/startedat`,
    ]) {
      await driver.putContent(path, started);
    }
    const before = await contentsOf(driver);
    assert.deepEqual(await purgeUploads({ driver, paths: new PathMapper() }, OPTIONS), { deleted: 0, errors: [] });
    assert.deepEqual(await contentsOf(driver), before);
  });

  test("removes blobs that somebody began to write before the age where storages keep such, but in a dry run", async () => {
    let now = 0;
    const driver = new AtomicMemory({ now: () => now });
    const write = async (path: string, age: number): Promise<void> => {
      now = NOW - age * HOUR;
      await (await driver.atomicWriter(path)).write(Buffer.from("half"));
    };
    await write("/docker/registry/v2/blobs/sha256/aa/aa/data", 24.001);
    await write("/docker/registry/v2/blobs/sha256/aa/aa/data", 23.999);
    await write("/docker/registry/v2/blobs/sha512/bb/bb/data", 25);
    await write("/docker/registry/v2/blobs-beside", 25);
    const store = { driver, paths: new PathMapper() };
    assert.deepEqual(await purgeUploads(store, { ...OPTIONS, dryRun: true }), { deleted: 2, errors: [] });
    assert.equal((await driver.listUnfinished("/docker")).length, 4);
    assert.deepEqual(await purgeUploads(store, OPTIONS), { deleted: 2, errors: [] });
    const left = (await driver.listUnfinished("/docker")).map(({ path, begun }) => [path, begun]);
    assert.deepEqual(left, [
      ["/docker/registry/v2/blobs/sha256/aa/aa/data", NOW - 23.999 * HOUR],
      ["/docker/registry/v2/blobs-beside", NOW - 25 * HOUR],
    ]);
  });

  test("removes unfinished data of sessions that have nothing else, and leaves that of others to their start", async () => {
    const driver = new AtomicMemory({ now: () => NOW - 25 * HOUR });
    const repositories = "/docker/registry/v2/repositories";
    const old = await begin(driver, "a", 1, 25);
    const young = await begin(driver, "a", 2, 1);
    for (const path of [
      `${old}/data`,
      `${young}/data`,
      `${repositories}/gone/b/_uploads/${ID}3/data`,
      `${repositories}/a/_uploads/no-session/data`,
      `${repositories}/a/${ID}4/data`,
    ]) {
      await (await driver.atomicWriter(path)).write(Buffer.from("half"));
    }
    const store = { driver, paths: new PathMapper() };
    assert.deepEqual(await purgeUploads(store, { ...OPTIONS, dryRun: true }), { deleted: 2, errors: [] });
    assert.equal((await driver.listUnfinished("/docker")).length, 5);
    assert.deepEqual(await purgeUploads(store, OPTIONS), { deleted: 2, errors: [] });
    const left = (await driver.listUnfinished("/docker")).map(({ path }) => path);
    assert.ok(left.includes(`${young}/data`));
    assert.ok(!left.some((path) => path.includes("/gone/")));
  });

  test("goes on behind an unfinished blob that cannot be removed, and tells of it", async () => {
    const driver = new AtomicMemory({ now: () => 0 });
    for (const name of ["a", "b", "c"]) {
      await (await driver.atomicWriter(`/docker/registry/v2/blobs/${name}`)).write(Buffer.from("half"));
    }
    const remove = driver.removeUnfinished.bind(driver);
    driver.removeUnfinished = async (one) => {
      if (one.path.endsWith("/b")) throw new StorageError("inmemory", "broken");
      await remove(one);
    };
    const { deleted, errors } = await purgeUploads({ driver, paths: new PathMapper() }, OPTIONS);
    assert.equal(deleted, 2);
    assert.match(String(errors), /broken/);
  });

  test("goes on behind a session that cannot be removed, and tells of it", async () => {
    const { driver, fail } = failingDriver(new MemoryDriver());
    for (const i of [1, 2, 3]) await begin(driver, "a", i, 100);
    fail("delete", (path) => (path.includes(`${ID}2`) ? new StorageError("inmemory", "broken") : undefined));
    const { deleted, errors } = await purgeUploads({ driver, paths: new PathMapper() }, OPTIONS);
    assert.equal(deleted, 2);
    assert.match(String(errors), /broken/);
  });

  test("finds nothing in an empty storage, and ends when it is told to", async () => {
    const driver = new MemoryDriver();
    assert.deepEqual(await purgeUploads({ driver, paths: new PathMapper() }, OPTIONS), { deleted: 0, errors: [] });
    await begin(driver, "a", 1, 100);
    await assert.rejects(
      purgeUploads({ driver, paths: new PathMapper() }, { ...OPTIONS, signal: AbortSignal.abort(new Error("stop")) }),
      /stop/,
    );
    assert.equal((await purgeUploads({ driver, paths: new PathMapper() }, OPTIONS)).deleted, 1);
  });
});

/** @param age hours @returns the session's folder */
async function begin(driver: StorageDriver, repository: string, number: number, age: number): Promise<string> {
  const path = `/docker/registry/v2/repositories/${repository}/_uploads/${ID}${number}`;
  await driver.putContent(`${path}/startedat`, Buffer.from(new Date(NOW - age * HOUR).toISOString()));
  await driver.putContent(`${path}/data`, Buffer.from("bytes"));
  return path;
}
