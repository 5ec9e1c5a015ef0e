import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { digestOf } from "../../src/oci/digest.ts";
import { parseStoredName } from "../../src/oci/names.ts";
import { PathMapper } from "../../src/registry/paths.ts";
import type { StorageDriver } from "../../src/storage/driver.ts";
import { registryContract } from "../contract/registry.ts";
import type { Api } from "../support/api.ts";
import { expectError, json, pushBlob, startUpload, unchanged } from "../support/api-content.ts";

const PATHS = new PathMapper();

/** In the catalogue's order: `/` before every other character. */
const NAMES = ["a", "a/b", "a/b/c", "a-b", "a0", "b", "b/a"];

registryContract("the catalogue", (open) => {
  test("of an empty storage is empty", async () => {
    await using api = await open();
    const answer = await api.send("GET", "/v2/_catalog");
    assert.equal(answer.status, 200);
    assert.equal(answer.body.toString(), '{"repositories":[]}\n');
    assert.equal(answer.headers["content-type"], "application/json");
    assert.equal(answer.headers.link, undefined);
  });

  test("lists repositories component by component", async () => {
    await using api = await openWith(NAMES.toReversed());
    assert.deepEqual(await list(api, ""), NAMES);
  });

  test("lists what has manifests or layers, once, whoever wrote them, and nothing that only has uploads", async () => {
    await using api = await open();
    await startUpload(api, "only/uploads");
    const digest = digestOf(Buffer.from("x"));
    await api.driver.putContent(PATHS.blob(digest), Buffer.from("x"));
    for (const name of ["both", "layers", "Upper/case"].map(parseStoredName)) {
      await api.driver.putContent(PATHS.layerLink(name, digest), Buffer.from(digest));
    }
    for (const name of ["both", "manifests"].map(parseStoredName)) {
      await api.driver.putContent(PATHS.revisionLink(name, digest), Buffer.from(digest));
    }
    await api.driver.putContent("/docker/registry/v2/repositories/not..a.name/_layers/x", Buffer.from(""));
    assert.deepEqual(await list(api, ""), ["Upper/case", "both", "layers", "manifests"]);
  });

  test("comes in pages with a link to the next as long as there is one", async () => {
    await using api = await openWith(NAMES);
    const first = await api.send("GET", "/v2/_catalog?n=2&other=x");
    assert.deepEqual(json(first), { repositories: ["a", "a/b"] });
    assert.equal(first.headers.link, '</v2/_catalog?last=a%2Fb&n=2>; rel="next"');
    const last = await api.send("GET", "/v2/_catalog?n=2&last=a0");
    assert.deepEqual(json(last), { repositories: ["b", "b/a"] });
    assert.equal(last.headers.link, undefined);
  });

  test("goes on after a name that need not exist", async () => {
    await using api = await openWith(NAMES);
    const cases = [
      ["a", NAMES.slice(1)],
      ["a%2Fb%2Fa", NAMES.slice(2)],
      ["a%2F", NAMES.slice(1)],
      ["a-", NAMES.slice(3)],
      ["zz", []],
      ["", NAMES],
      ["..%2F..%2Fetc", NAMES],
      ["%00", NAMES],
      ["q/blobs/z", []],
    ] as const;
    for (const [last, names] of cases) assert.deepEqual(await list(api, `?last=${last}`), names, last);
  });

  test("has a hundred names a page where the client does not say, or fewer where the operator says so", async () => {
    const names = Array.from({ length: 101 }, (_, i) => `r${String(i).padStart(3, "0")}`);
    await using api = await openWith(names);
    const answer = await api.send("GET", "/v2/_catalog");
    assert.deepEqual(json(answer), { repositories: names.slice(0, 100) });
    assert.equal(answer.headers.link, '</v2/_catalog?last=r099&n=100>; rel="next"');
    await using small = await open({ maxEntries: 2 });
    await addRepositories(small.driver, ["a", "b", "c"]);
    assert.deepEqual(await list(small, ""), ["a", "b"]);
    assert.deepEqual(expectError(await small.send("GET", "/v2/_catalog?n=3"), 400, "PAGINATION_NUMBER_INVALID"), {
      n: 3,
    });
  });

  test("answers n=0 with nothing", async () => {
    await using api = await openWith(NAMES);
    const answer = await api.send("GET", "/v2/_catalog?n=0");
    assert.deepEqual(json(answer), { repositories: [] });
    assert.equal(answer.headers.link, undefined);
  });

  test("refuses an n that is no size of a page", async () => {
    await using api = await openWith(["a"]);
    for (const n of ["-1", "x", "1.5", "1e3", "0x10", "%201", "١", "NaN", "--"]) {
      const answer = await unchanged(api, () => api.send("GET", `/v2/_catalog?n=${encodeURI(decodeURI(n))}`));
      assert.deepEqual(expectError(answer, 400, "PAGINATION_NUMBER_INVALID"), { n: decodeURI(n) });
    }
    for (const n of ["1001", "99999999999999999999", "9".repeat(5000)]) {
      expectError(await api.send("GET", `/v2/_catalog?n=${n}`), 400, "PAGINATION_NUMBER_INVALID");
    }
    assert.deepEqual(expectError(await api.send("GET", "/v2/_catalog?n=5000"), 400, "PAGINATION_NUMBER_INVALID"), {
      n: 5000,
    });
    assert.deepEqual(await list(api, "?n=1000"), ["a"]);
    assert.deepEqual(await list(api, "?n="), ["a"]);
  });

  test("gives every repository exactly once and in order, whatever the size of its pages", async () => {
    const component = fc.stringMatching(/^[a-c0]{1,2}(-[a-c0])?$/);
    const name = fc.array(component, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
    const sets = fc.uniqueArray(name, { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(sets, fc.integer({ min: 1, max: 5 }), async (names, size) => {
        await using api = await openWith(names);
        const found: string[] = [];
        for (let path: string | undefined = `/v2/_catalog?n=${size}`; path !== undefined; ) {
          const answer = await api.send("GET", path);
          const { repositories } = json(answer) as { repositories: string[] };
          assert.ok(repositories.length > 0 && repositories.length <= size);
          found.push(...repositories);
          path = /^<(.*)>; rel="next"$/.exec(answer.headers.link?.toString() ?? "")?.[1];
        }
        assert.deepEqual(found, names.toSorted(compareNames));
      }),
      { numRuns: 25 },
    );
  });

  test("holds a repository from its first blob on", async () => {
    await using api = await open();
    await pushBlob(api, "new/one", Buffer.from("x"));
    assert.deepEqual(await list(api, ""), ["new/one"]);
  });

  async function openWith(names: readonly string[]): Promise<Api> {
    const api = await open();
    await addRepositories(api.driver, names);
    return api;
  }
});

async function addRepositories(driver: StorageDriver, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const path = PATHS.layerLink(parseStoredName(name), digestOf(Buffer.from(name)));
    await driver.putContent(path, Buffer.from(digestOf(Buffer.from(name))), { durable: false });
  }
}

async function list(api: Api, query: string): Promise<readonly string[]> {
  const { repositories } = json(await api.send("GET", `/v2/_catalog${query}`)) as { repositories: readonly string[] };
  return repositories;
}

/** Component by component: `/` sorts before every other character. */
function compareNames(a: string, b: string): number {
  const x = a.replaceAll("/", "\0");
  const y = b.replaceAll("/", "\0");
  return x < y ? -1 : x > y ? 1 : 0;
}
