import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { countingDriver } from "../../test/support/counting-driver.ts";
import { decorate } from "../lib/decorate.ts";
import type { StorageDriver } from "./driver.ts";
import { MemoryDriver } from "./memory.ts";
import { type Step, type WalkEntry, walk } from "./walk.ts";

walks("over listings that tell everything", () => new MemoryDriver());
walks("over listings of names", namesOnly);

function walks(what: string, open: () => StorageDriver): void {
  describe(what, () => {
    test("a walk visits files and folders depth first, names in byte order", async () => {
      const driver = await treeOf(open(), "/r/a/b/x", "/r/a-b/x", "/r/B", "/r/a/a", "/beside");
      assert.deepEqual(await visited(driver), ["/r/B", "/r/a", "/r/a/a", "/r/a/b", "/r/a/b/x", "/r/a-b", "/r/a-b/x"]);
    });

    test("a walk begins at the root as well", async () => {
      assert.deepEqual(await visited(await treeOf(open(), "/a/b"), {}, "/"), ["/a", "/a/b"]);
    });

    test("a walk leaves out what is below a skipped folder, and nothing beside it", async () => {
      const driver = await treeOf(open(), "/r/a/x", "/r/ab/x", "/r/b");
      const steps: Record<string, Step> = { "/r/a": "skip", "/r/b": "skip" };
      assert.deepEqual(await visited(driver, { steps }), ["/r/a", "/r/ab", "/r/ab/x", "/r/b"]);
    });

    test("a walk ends where it is told to stop", async () => {
      const driver = await treeOf(open(), "/r/a/x", "/r/b", "/r/c");
      assert.deepEqual(await visited(driver, { steps: { "/r/a/x": "stop" } }), ["/r/a", "/r/a/x"]);
    });

    test("a walk where nothing is visits nothing", async () => {
      assert.deepEqual(await visited(open()), []);
    });

    test("a walk of a folder that vanishes when it is visited goes on behind it", async () => {
      const driver = await treeOf(open(), "/r/a/x", "/r/b");
      const seen: string[] = [];
      await walk(driver, "/r", async ({ path }) => {
        seen.push(path);
        if (path === "/r/a") await driver.delete("/r/a");
        return undefined;
      });
      assert.deepEqual(seen, ["/r/a", "/r/b"]);
    });

    test("a walk that starts after a path visits what a full walk visits after it", async () => {
      const name = fc.constantFrom("a", "a-b", "a.b", "b", "B");
      const path = fc.array(name, { minLength: 2, maxLength: 4 }).map((names) => `/r/${names.join("/")}`);
      await fc.assert(
        fc.asyncProperty(fc.array(path, { maxLength: 8 }), path, async (files, startAfter) => {
          const driver = open();
          // A file may be in the way of a folder; then there is one path less.
          for (const file of files) await driver.putContent(`${file}/x`, Buffer.alloc(0));
          const all = await visited(driver);
          const order = (text: string): string => text.replaceAll("/", "\0");
          const expected = all.filter((one) => order(one) > order(startAfter));
          assert.deepEqual(await visited(driver, { startAfter }), expected);
        }),
      );
    });

    test("a walk goes down thousands of folders", async () => {
      const depth = 3000;
      const driver = await treeOf(open(), `/r${"/d".repeat(depth)}`);
      assert.equal((await visited(driver)).length, depth);
    });

    test("a walk that is aborted throws the reason", async () => {
      const driver = await treeOf(open(), "/r/a", "/r/b");
      const controller = new AbortController();
      const walking = walk(driver, "/r", () => void controller.abort(new Error("enough")), {
        signal: controller.signal,
      });
      await assert.rejects(walking, /enough/);
    });
  });
}

test("a walk that asks for each entry passes over what vanishes on its way", async () => {
  const driver = await treeOf(namesOnly(), "/r/a", "/r/b/x", "/r/c");
  const seen: string[] = [];
  await walk(driver, "/r", async ({ path }) => {
    seen.push(path);
    if (path === "/r/a") await driver.delete("/r/b");
    return undefined;
  });
  assert.deepEqual(seen, ["/r/a", "/r/c"]);
});

test("a walk that asks once a folder visits what vanishes as it was, and nothing below it", async () => {
  const driver = await treeOf(new MemoryDriver(), "/r/a", "/r/b/x", "/r/c");
  const seen: string[] = [];
  await walk(driver, "/r", async ({ path }) => {
    seen.push(path);
    if (path === "/r/a") await driver.delete("/r/b");
    return undefined;
  });
  assert.deepEqual(seen, ["/r/a", "/r/b", "/r/c"]);
});

test("a walk asks for each folder once and for nothing else, where listings tell of what kind everything is", async () => {
  const { driver, calls, forget } = countingDriver(
    await treeOf(new MemoryDriver(), "/r/a/x", "/r/a/y", "/r/b", "/r/c/d/x"),
  );
  forget();
  assert.equal((await visited(driver)).length, 7);
  assert.deepEqual(calls, ["list /r", "list /r/a", "list /r/c", "list /r/c/d"]);
});

test("a walk tells what the listings told, or stat where there was no other way", async () => {
  for (const driver of [new MemoryDriver(), namesOnly()]) {
    await treeOf(driver, "/r/a/x");
    const entries: WalkEntry[] = [];
    await walk(driver, "/r", (entry) => void entries.push(entry));
    const [folder, file] = [await driver.stat("/r/a"), await driver.stat("/r/a/x")];
    assert.deepEqual(entries, [
      { path: "/r/a", isDirectory: true, info: folder },
      { path: "/r/a/x", isDirectory: false, info: file },
    ]);
  }
});

function namesOnly(): StorageDriver {
  return decorate<StorageDriver, { listDetailed: undefined }>(new MemoryDriver(), { listDetailed: undefined });
}

async function treeOf(driver: StorageDriver, ...paths: string[]): Promise<StorageDriver> {
  for (const path of paths) await driver.putContent(path, Buffer.from("x"));
  return driver;
}

async function visited(
  driver: StorageDriver,
  options: { steps?: Record<string, Step>; startAfter?: string } = {},
  from: string = "/r",
): Promise<string[]> {
  const paths: string[] = [];
  const visit = ({ path }: { path: string }): Step => {
    paths.push(path);
    return options.steps?.[path];
  };
  await walk(driver, from, visit, { startAfter: options.startAfter });
  return paths;
}
