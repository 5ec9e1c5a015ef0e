import assert from "node:assert/strict";
import { rename } from "node:fs/promises";
import { type TestContext, test } from "node:test";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { parseRepositoryName, parseTag, type Tag } from "../oci/names.ts";
import { canStamp } from "../storage/driver.ts";
import { openFilesystem } from "../storage/filesystem.ts";
import { PathMapper } from "./paths.ts";
import { TagLists } from "./tag-lists.ts";

const REPOSITORY = parseRepositoryName("a/b");
const PATHS = new PathMapper();
const [ONE, TWO] = ["one", "two"].map(parseTag) as [Tag, Tag];
const SECONDS = 1000;

test("a list is good until a tag comes or goes, whoever does it", async (t) => {
  const tags = await open(t);
  if (!tags) return;
  await tags.add(ONE);
  tags.wait(SECONDS);
  tags.lists.begin(REPOSITORY)?.([ONE]);
  assert.deepEqual(tags.lists.get(REPOSITORY), [ONE]);
  await tags.add(TWO);
  assert.equal(tags.lists.get(REPOSITORY), undefined);
  tags.wait(SECONDS);
  tags.lists.begin(REPOSITORY)?.([ONE, TWO]);
  assert.deepEqual(tags.lists.get(REPOSITORY), [ONE, TWO]);
  await tags.driver.delete(PATHS.tag(REPOSITORY, ONE));
  assert.equal(tags.lists.get(REPOSITORY), undefined);
});

test("a list is not remembered where a tag came while it was read, or just before", async (t) => {
  const tags = await open(t);
  if (!tags) return;
  await tags.add(ONE);
  assert.equal(tags.lists.begin(REPOSITORY), undefined);
  tags.wait(SECONDS);
  const remember = tags.lists.begin(REPOSITORY);
  await tags.add(TWO);
  remember?.([ONE]);
  assert.equal(tags.lists.get(REPOSITORY), undefined);
});

test("a list is not that of a folder which was put in the place of the first", async (t) => {
  const tags = await open(t);
  if (!tags) return;
  await tags.add(ONE);
  tags.wait(SECONDS);
  tags.lists.begin(REPOSITORY)?.([ONE]);
  const folder = tags.driver.location + PATHS.tags(REPOSITORY);
  await rename(folder, `${folder}.old`);
  assert.equal(tags.lists.get(REPOSITORY), undefined);
  await tags.add(TWO);
  assert.equal(tags.lists.get(REPOSITORY), undefined);
});

test("a list is forgotten after ten seconds", async (t) => {
  const tags = await open(t);
  if (!tags) return;
  await tags.add(ONE);
  tags.wait(SECONDS);
  tags.lists.begin(REPOSITORY)?.([ONE]);
  tags.wait(10 * SECONDS);
  assert.deepEqual(tags.lists.get(REPOSITORY), [ONE]);
  tags.wait(1);
  assert.equal(tags.lists.get(REPOSITORY), undefined);
});

/** @returns undefined where the temporary folder lies on a file system without stamps */
async function open(t: TestContext) {
  const folder = await temporaryFolder("tag-lists");
  t.after(() => folder[Symbol.asyncDispose]());
  const driver = await openFilesystem({ rootdirectory: folder.path });
  if (!canStamp(driver)) return t.skip("the temporary folder lies on a file system without stamps");
  let time = Date.now();
  return {
    driver,
    lists: new TagLists({ driver, paths: PATHS }, () => time),
    add: async (tag: Tag) => {
      await driver.putContent(PATHS.tagCurrent(REPOSITORY, tag), Buffer.from("sha256:…"));
      time = Date.now();
    },
    wait: (ms: number): void => {
      time += ms;
    },
  };
}
