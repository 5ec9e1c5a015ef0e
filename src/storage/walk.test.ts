import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MemoryDriver } from "./memory.ts";
import { type Step, walk } from "./walk.ts";

test("a walk visits files and folders depth first, names in byte order", async () => {
  const driver = await treeOf("/r/a/b/x", "/r/a-b/x", "/r/B", "/r/a/a", "/beside");
  assert.deepEqual(await visited(driver), ["/r/B", "/r/a", "/r/a/a", "/r/a/b", "/r/a/b/x", "/r/a-b", "/r/a-b/x"]);
});

test("a walk begins at the root as well", async () => {
  assert.deepEqual(await visited(await treeOf("/a/b"), {}, "/"), ["/a", "/a/b"]);
});

test("a walk leaves out what is below a skipped folder, and nothing beside it", async () => {
  const driver = await treeOf("/r/a/x", "/r/ab/x", "/r/b");
  const steps: Record<string, Step> = { "/r/a": "skip", "/r/b": "skip" };
  assert.deepEqual(await visited(driver, { steps }), ["/r/a", "/r/ab", "/r/ab/x", "/r/b"]);
});

test("a walk ends where it is told to stop", async () => {
  const driver = await treeOf("/r/a/x", "/r/b", "/r/c");
  assert.deepEqual(await visited(driver, { steps: { "/r/a/x": "stop" } }), ["/r/a", "/r/a/x"]);
});

test("a walk where nothing is visits nothing", async () => {
  assert.deepEqual(await visited(new MemoryDriver()), []);
});

test("a walk passes over what vanishes on its way", async () => {
  const driver = await treeOf("/r/a", "/r/b/x", "/r/c");
  const seen: string[] = [];
  await walk(driver, "/r", async ({ path }) => {
    seen.push(path);
    if (path === "/r/a") await driver.delete("/r/b");
    return undefined;
  });
  assert.deepEqual(seen, ["/r/a", "/r/c"]);
});

test("a walk of a folder that vanishes when it is visited goes on behind it", async () => {
  const driver = await treeOf("/r/a/x", "/r/b");
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
      const driver = new MemoryDriver();
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
  const driver = await treeOf(`/r${"/d".repeat(depth)}`);
  assert.equal((await visited(driver)).length, depth);
});

test("a walk that is aborted throws the reason", async () => {
  const driver = await treeOf("/r/a", "/r/b");
  const controller = new AbortController();
  const walking = walk(driver, "/r", () => void controller.abort(new Error("enough")), { signal: controller.signal });
  await assert.rejects(walking, /enough/);
});

async function treeOf(...paths: string[]): Promise<MemoryDriver> {
  const driver = new MemoryDriver();
  for (const path of paths) await driver.putContent(path, Buffer.from("x"));
  return driver;
}

async function visited(
  driver: MemoryDriver,
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
