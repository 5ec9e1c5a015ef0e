import assert from "node:assert/strict";
import { canListDetailed, type StorageDriver } from "../../src/storage/driver.ts";
import { InvalidPath, StorageError } from "../../src/storage/errors.ts";
import {
  type Check,
  commitTo,
  content,
  type DriverTraits,
  random,
  readAll,
  rejectsAsAbsent,
  sameBytes,
} from "./driver-harness.ts";

const ACCEPTED = [
  "/a",
  "/2",
  "/aa",
  "/a.a",
  "/0-9/abcdefg",
  "/abcdefg/z.75",
  "/abc/1.2.3.4.5-6_zyx/123.z/4",
  "/docker/docker-registry",
  "/123.abc",
  "/abc./abc",
  "/.abc",
  "/a--b",
  "/a-.b",
  "/_.abc",
  "/Docker/docker-registry",
  "/Abc/Cba",
  "/...",
  "/..a/.-/_",
  "/ABCDEFGHIJKLMNOPQRSTUVWXYZ/abcdefghijklmnopqrstuvwxyz/0123456789/._-",
];

const REJECTED = [
  "",
  "abc",
  "123.abc",
  "//bcd",
  "/abc_123/",
  "/.",
  "/..",
  "/a/..",
  "/a/../b",
  "/./a",
  "../a",
  "/a//b",
  "/a b",
  "/a:b",
  "/a\\b",
  "/ä",
  "/a\0",
  "/a\n",
];

export function checkObjects(check: Check, traits: DriverTraits): void {
  checkPaths(check);
  checkContents(check);
  checkStat(check);
  checkList(check);
  checkMove(check, traits);
  checkDelete(check);
}

function checkPaths(check: Check): void {
  check("an object can have any path of letters, digits, dots, underscores and hyphens", async (driver) => {
    for (const path of ACCEPTED) {
      await driver.putContent(path, Buffer.from(path));
      assert.equal((await content(driver, path)).toString(), path);
      assert.equal((await driver.stat(path)).size, path.length);
      const slash = path.lastIndexOf("/");
      const names = await driver.list(path.slice(0, slash) || "/");
      assert.ok(names.includes(path.slice(slash + 1)), path);
      await driver.delete(path);
    }
  });

  check("other paths are refused by every method", async (driver) => {
    for (const path of REJECTED) {
      for (const call of [...objectCalls(driver, path), driver.stat(path), driver.list(path)]) {
        await assert.rejects(call, InvalidPath, JSON.stringify(path));
      }
    }
  });

  check("the root is a folder and never an object", async (driver) => {
    for (const call of objectCalls(driver, "/")) await assert.rejects(call, InvalidPath);
    assert.deepEqual(await driver.list("/"), []);
  });
}

function objectCalls(driver: StorageDriver, path: string): Promise<unknown>[] {
  return [
    driver.getContent(path),
    driver.putContent(path, Buffer.from("x")),
    driver.reader(path),
    driver.writer(path, { append: false }),
    driver.writer(path, { append: true }),
    driver.move(path, "/target"),
    driver.move("/source", path),
    driver.delete(path),
  ];
}

function checkContents(check: Check): void {
  check("content comes back as it was put, whatever its bytes and length", async (driver) => {
    const contents = [
      Buffer.alloc(0),
      Buffer.from("a"),
      Buffer.from("ç"),
      random(32),
      Buffer.from([0x80, 0x80, 0x80, 0x80]),
      Buffer.from([0xc0, 0x80, 0xff, 0x00]),
      random(1024 * 1024),
    ];
    for (const expected of contents) {
      await driver.putContent("/folder/object", expected);
      sameBytes(await content(driver, "/folder/object"), expected);
      sameBytes(await readAll(driver, "/folder/object"), expected);
      assert.equal((await driver.stat("/folder/object")).size, expected.length);
    }
  });

  check("a shorter content replaces a longer one entirely", async (driver) => {
    const [long, short] = [random(1024 * 1024), random(1024)];
    await driver.putContent("/put", long);
    await driver.putContent("/put", short);
    sameBytes(await content(driver, "/put"), short);
    await commitTo(driver, "/written", long);
    await commitTo(driver, "/written", short);
    sameBytes(await content(driver, "/written"), short);
  });

  check("what need not be durable is there all the same", async (driver) => {
    await driver.putContent("/fleeting/object", Buffer.from("x"), { durable: false });
    assert.equal((await content(driver, "/fleeting/object")).toString(), "x");
    await driver.delete("/fleeting", { durable: false });
    await rejectsAsAbsent(driver, "/fleeting/object", driver.getContent("/fleeting/object"));
  });

  check("an object can be changed by the caller after it was put or got, without effect", async (driver) => {
    const bytes = Buffer.from("before");
    await driver.putContent("/object", bytes);
    bytes.fill("x");
    (await driver.getContent("/object")).fill(0);
    assert.equal((await content(driver, "/object")).toString(), "before");
  });

  check("what is absent, a folder or below an object has no content", async (driver) => {
    await driver.putContent("/folder/object", Buffer.from("x"));
    for (const path of ["/absent", "/absent/too", "/folder", "/folder/absent", "/folder/object/below"]) {
      await rejectsAsAbsent(driver, path, driver.getContent(path));
      await rejectsAsAbsent(driver, path, driver.reader(path));
    }
  });
}

function checkStat(check: Check): void {
  check("stat tells size, kind and time of a file, and the kind of a folder", async (driver) => {
    await driver.putContent("/folder/sub/object", random(1234));
    const file = await driver.stat("/folder/sub/object");
    assert.equal(file.size, 1234);
    assert.equal(file.isDirectory, false);
    assert.ok(Math.abs((file.modified ?? 0) - Date.now()) < 86_400_000, "not in milliseconds of today");
    for (const path of ["/folder", "/folder/sub"]) {
      const { size, isDirectory } = await driver.stat(path);
      assert.deepEqual({ size, isDirectory }, { size: 0, isDirectory: true });
    }
  });

  check("stat of what is not there finds nothing", async (driver) => {
    await driver.putContent("/folder/object", Buffer.from("x"));
    for (const path of ["/absent", "/fold", "/folder/obj", "/folder/object/below", `/${"n".repeat(2000)}`]) {
      await rejectsAsAbsent(driver, path, driver.stat(path));
    }
  });

  check("the time of an object grows when it is replaced", async (driver) => {
    await driver.putContent("/object", Buffer.from("0"));
    const first = (await driver.stat("/object")).modified ?? 0;
    let now = first;
    for (let count = 1; now === first && count < 5000; count++) {
      await driver.putContent("/object", Buffer.from(`${count}`), { durable: false });
      now = (await driver.stat("/object")).modified ?? 0;
    }
    assert.ok(now > first, `${now} after ${first}`);
  });
}

function checkList(check: Check): void {
  check("a list has the names of all direct children and no others", async (driver) => {
    const names = Array.from({ length: 50 }, (_, index) => `name-${index}`).sort();
    await Promise.all(names.map((name) => driver.putContent(`/folder/${name}`, Buffer.from(name))));
    await driver.putContent("/folder/name-0.sub/deeper/object", Buffer.from("x"));
    await driver.putContent("/folder-beside/object", Buffer.from("x"));
    assert.deepEqual((await driver.list("/folder")).sort(), [...names, "name-0.sub"].sort());
    assert.deepEqual(await driver.list("/folder/name-0.sub"), ["deeper"]);
    assert.deepEqual((await driver.list("/")).sort(), ["folder", "folder-beside"]);
  });

  check("only folders can be listed", async (driver) => {
    await driver.putContent("/folder/object", Buffer.from("x"));
    for (const path of ["/absent", "/fold", "/folder/object", "/folder/absent"]) {
      await rejectsAsAbsent(driver, path, driver.list(path));
      if (canListDetailed(driver)) await rejectsAsAbsent(driver, path, driver.listDetailed(path));
    }
  });

  check("a listing that says more names the same children, and says nothing else of them than stat", async (driver) => {
    if (!canListDetailed(driver)) return;
    for (const path of [
      "/folder/empty",
      "/folder/object",
      "/folder/object.sub/deeper/object",
      "/folder-beside/object",
    ]) {
      await driver.putContent(path, Buffer.from(path.endsWith("empty") ? "" : path));
    }
    for (const folder of ["/", "/folder", "/folder/object.sub"]) {
      const children = await driver.listDetailed(folder);
      const byName = (a: string, b: string): number => (a < b ? -1 : 1);
      assert.deepEqual(children.map(({ name }) => name).sort(byName), (await driver.list(folder)).sort(byName));
      for (const { name, isDirectory, info } of children) {
        const told = await driver.stat(folder === "/" ? `/${name}` : `${folder}/${name}`);
        assert.equal(isDirectory, told.isDirectory, name);
        if (info) assert.deepEqual(info, told, name);
      }
    }
    for (const path of ["/a//b", "a", "/a/../b"]) await assert.rejects(driver.listDetailed(path), InvalidPath, path);
  });
}

function checkMove(check: Check, traits: DriverTraits): void {
  check("a moved object is at its target only, in folders that appear with it", async (driver) => {
    const bytes = random(100_000);
    await driver.putContent("/source/object", bytes);
    await driver.move("/source/object", "/target/deep/object");
    sameBytes(await content(driver, "/target/deep/object"), bytes);
    await rejectsAsAbsent(driver, "/source/object", driver.stat("/source/object"));
  });

  check("a move replaces what is at the target", async (driver) => {
    await driver.putContent("/source", Buffer.from("new"));
    await driver.putContent("/target", Buffer.from("old and longer"));
    await driver.move("/source", "/target");
    assert.equal((await content(driver, "/target")).toString(), "new");
    await rejectsAsAbsent(driver, "/source", driver.getContent("/source"));
  });

  check("a move of nothing leaves the target as it was", async (driver) => {
    await driver.putContent("/folder/target", Buffer.from("kept"));
    for (const source of ["/absent", "/folder/absent", "/folder/target/below", "/folder"]) {
      await rejectsAsAbsent(driver, source, driver.move(source, "/folder/target"));
      await rejectsAsAbsent(driver, source, driver.move(source, "/elsewhere/new"));
    }
    assert.equal((await content(driver, "/folder/target")).toString(), "kept");
  });

  check("a move onto itself keeps the object", async (driver) => {
    await driver.putContent("/object", Buffer.from("kept"));
    await driver.move("/object", "/object");
    assert.equal((await content(driver, "/object")).toString(), "kept");
  });

  if (traits.directories) checkFoldersInTheWay(check);
}

function checkFoldersInTheWay(check: Check): void {
  check("neither a put nor a move nor a writer replaces a folder", async (driver) => {
    await driver.putContent("/folder/object", Buffer.from("kept"));
    await driver.putContent("/source", Buffer.from("source"));
    await assert.rejects(driver.putContent("/folder", Buffer.from("x")), StorageError);
    await assert.rejects(driver.move("/source", "/folder"), StorageError);
    await assert.rejects(driver.writer("/folder", { append: false }), StorageError);
    assert.equal((await content(driver, "/folder/object")).toString(), "kept");
    assert.equal((await content(driver, "/source")).toString(), "source");
    assert.deepEqual((await driver.list("/")).sort(), ["folder", "source"]);
  });

  check("nothing can be put, written or moved below an object", async (driver) => {
    await driver.putContent("/object", Buffer.from("kept"));
    await driver.putContent("/source", Buffer.from("source"));
    await assert.rejects(driver.putContent("/object/below", Buffer.from("x")), StorageError);
    await assert.rejects(driver.writer("/object/below", { append: true }), StorageError);
    await assert.rejects(driver.move("/source", "/object/below"), StorageError);
    assert.equal((await content(driver, "/object")).toString(), "kept");
    assert.equal((await content(driver, "/source")).toString(), "source");
  });
}

function checkDelete(check: Check): void {
  check("a deleted object is gone, and can be put again", async (driver) => {
    await driver.putContent("/folder/object", Buffer.from("old"));
    await driver.delete("/folder/object");
    await rejectsAsAbsent(driver, "/folder/object", driver.getContent("/folder/object"));
    await rejectsAsAbsent(driver, "/folder/object", driver.delete("/folder/object"));
    await driver.putContent("/folder/object", Buffer.from("new"));
    assert.equal((await content(driver, "/folder/object")).toString(), "new");
  });

  check("nothing to delete is reported as such", async (driver) => {
    await driver.putContent("/folder/object", Buffer.from("kept"));
    for (const path of ["/absent", "/absent/too", "/fold", "/folder/obj", "/folder/object/below"]) {
      await rejectsAsAbsent(driver, path, driver.delete(path));
    }
    assert.equal((await content(driver, "/folder/object")).toString(), "kept");
  });

  check("deleting a folder takes all below it and nothing beside it", async (driver) => {
    const below = ["/a/object", "/a/b/object", "/a/b/c/d/e/object", "/a/a"];
    const beside = ["/ab", "/a-b/object", "/a.b", "/A/object"];
    for (const path of [...below, ...beside]) await driver.putContent(path, Buffer.from(path));
    await driver.delete("/a");
    for (const path of [...below, "/a", "/a/b"]) await rejectsAsAbsent(driver, path, driver.stat(path));
    for (const path of beside) assert.equal((await content(driver, path)).toString(), path);
  });
}
