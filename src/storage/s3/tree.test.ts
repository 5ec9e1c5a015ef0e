import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { openS3, type S3Driver } from "../s3.ts";

/** A bucket whose every listing has these pages. */
async function bucketOf(t: TestContext, ...pages: readonly string[]): Promise<S3Driver> {
  const server = createServer((request, response) => {
    const from = Number(new URL(request.url ?? "/", "http://s3").searchParams.get("continuation-token") ?? 0);
    const more = from + 1 < pages.length;
    const next = more ? `<NextContinuationToken>${from + 1}</NextContinuationToken>` : "";
    response.end(`<ListBucketResult><IsTruncated>${more}</IsTruncated>${next}${pages[from] ?? ""}</ListBucketResult>`);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close().closeAllConnections());
  const regionendpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return await openS3({ bucket: "b", accesskey: "a", secretkey: "s", regionendpoint });
}

const TIME = "2026-11-20T12:00:00.750Z";

function object(key: string, more = `<Size>5</Size><ETag>"tag"</ETag><LastModified>${TIME}</LastModified>`): string {
  return `<Contents><Key>${key}</Key>${more}</Contents>`;
}

function folder(prefix: string): string {
  return `<CommonPrefixes><Prefix>${prefix}</Prefix></CommonPrefixes>`;
}

const OBJECT = { size: 5, isDirectory: false, version: '"tag"', modified: Date.parse("2026-11-20T12:00:00Z") };
const FOLDER = { size: 0, isDirectory: true };

test("a listing of a bucket tells size, tag and time of objects, the time as a HEAD would, and which are folders", async (t) => {
  await using driver = await bucketOf(t, object("r/a") + folder("r/b/"), object("r/c"));
  assert.deepEqual(await driver.listDetailed("/r"), [
    { name: "b", isDirectory: true, info: FOLDER },
    { name: "a", isDirectory: false, info: OBJECT },
    { name: "c", isDirectory: false, info: OBJECT },
  ]);
});

test("of an object and a folder with one name a listing has the object, as stat does", async (t) => {
  for (const pages of [
    [object("r/a") + folder("r/a/")],
    [object("r/a"), folder("r/a/")],
    [folder("r/a/"), object("r/a")],
  ]) {
    await using driver = await bucketOf(t, ...pages);
    assert.deepEqual(await driver.listDetailed("/r"), [{ name: "a", isDirectory: false, info: OBJECT }]);
  }
});

test("a folder that some tool made an object of is none of its own children", async (t) => {
  await using driver = await bucketOf(t, object("r/") + object("r/a"));
  assert.deepEqual(await driver.list("/r"), ["a"]);
});

test("a server that does not tell all of an object is asked for it", async (t) => {
  await using driver = await bucketOf(t, object("r/a", "<Size>5</Size>"));
  assert.deepEqual(await driver.listDetailed("/r"), [{ name: "a", isDirectory: false }]);
});
