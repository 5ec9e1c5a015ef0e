import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { digestOf } from "../../src/oci/digest.ts";
import { parseRepositoryName, parseTag } from "../../src/oci/names.ts";
import { PathMapper } from "../../src/registry/paths.ts";
import { registryContract } from "../contract/registry.ts";
import type { Api } from "../support/api.ts";
import { expectError, json, pushBlob, pushImage, startUpload, unchanged } from "../support/api-content.ts";

const PATHS = new PathMapper();

const REPOSITORY = parseRepositoryName("a/b");
/** In byte order. */
const TAGS = ["0", "1.0", "1.0-rc", "10", "A", "Z", "_", "_x", "a", "a-b", "a.b", "a0", "aA", "a_", "b"];

registryContract("a repository's tags", (open) => {
  test("are listed in byte order, all of them where the client does not ask for a page", async () => {
    await using api = await openWith(TAGS.toReversed(), { maxTags: 2 });
    const answer = await api.send("GET", "/v2/a/b/tags/list");
    assert.deepEqual(json(answer), { name: "a/b", tags: TAGS.toSorted(compareBytes) });
    assert.equal(answer.headers.link, undefined);
    assert.equal(answer.headers["docker-distribution-api-version"], "registry/2.0");
  });

  test("come in pages with a link to the next as long as there is one", async () => {
    await using api = await openWith(["a", "b", "c", "d"]);
    const first = await api.send("GET", "/v2/a/b/tags/list?n=2&x=y");
    assert.deepEqual(json(first), { name: "a/b", tags: ["a", "b"] });
    assert.equal(first.headers.link, '</v2/a/b/tags/list?last=b&n=2>; rel="next"');
    const last = await api.send("GET", "/v2/a/b/tags/list?last=b&n=2");
    assert.deepEqual(json(last), { name: "a/b", tags: ["c", "d"] });
    assert.equal(last.headers.link, undefined);
  });

  test("go on after a tag that need not exist", async () => {
    await using api = await openWith(["a", "b", "c"]);
    for (const [last, tags] of [
      ["a", ["b", "c"]],
      ["aa", ["b", "c"]],
      ["c", []],
      ["zzz", []],
      ["", ["a", "b", "c"]],
      ["../a", ["a", "b", "c"]],
    ] as const) {
      assert.deepEqual(await list(api, `?last=${last}`), tags, last);
    }
  });

  test("are clamped to tags.maxtags where a page asks for more, with a link", async () => {
    await using api = await openWith(["a", "b", "c"], { maxTags: 2 });
    for (const n of ["3", "1001", "9".repeat(400)]) {
      const answer = await api.send("GET", `/v2/a/b/tags/list?n=${n}`);
      assert.deepEqual(json(answer), { name: "a/b", tags: ["a", "b"] });
      assert.equal(answer.headers.link, '</v2/a/b/tags/list?last=b&n=2>; rel="next"');
    }
  });

  test("are none where n=0, and an n that is no number is refused", async () => {
    await using api = await openWith(["a"]);
    const answer = await api.send("GET", "/v2/a/b/tags/list?n=0");
    assert.deepEqual(json(answer), { name: "a/b", tags: [] });
    assert.equal(answer.headers.link, undefined);
    for (const n of ["-1", "x", "1.0", "%00", "1%0a"]) {
      const refused = await unchanged(api, () => api.send("GET", `/v2/a/b/tags/list?n=${n}`));
      expectError(refused, 400, "PAGINATION_NUMBER_INVALID");
    }
  });

  test("of an unknown repository are an error, of one without tags an empty list", async () => {
    await using api = await open();
    await startUpload(api, "only/uploads");
    for (const name of ["none", "a", "only/uploads"]) {
      for (const query of ["", "?n=0", "?n=5", "?last=x"]) {
        const answer = await api.send("GET", `/v2/${name}/tags/list${query}`);
        assert.deepEqual(expectError(answer, 404, "NAME_UNKNOWN"), { name });
      }
    }
    await pushBlob(api, "a/blobs", Buffer.from("x"));
    await pushImage(api, "a/untagged");
    assert.equal((await api.send("GET", "/v2/a/blobs/tags/list")).body.toString(), '{"name":"a/blobs","tags":[]}\n');
    assert.deepEqual(json(await api.send("GET", "/v2/a/untagged/tags/list")), { name: "a/untagged", tags: [] });
    expectError(await api.send("GET", "/v2/a/tags/list"), 404, "NAME_UNKNOWN");
  });

  test("are an empty list after the last was deleted", async () => {
    await using api = await open();
    const { digest } = await pushImage(api, "a/b", { reference: "t" });
    assert.equal((await api.send("DELETE", "/v2/a/b/manifests/t")).status, 202);
    assert.deepEqual(await list(api, ""), []);
    assert.equal((await api.send("DELETE", `/v2/a/b/manifests/${digest}`)).status, 202);
    assert.deepEqual(await list(api, ""), []);
  });

  test("leave out folders that are no tags or that a deletion left without a link", async () => {
    await using api = await openWith(["a"]);
    const left = PATHS.tag(REPOSITORY, parseTag("left"));
    await api.driver.putContent(`${left}/index/sha256/${"0".repeat(64)}/link`, Buffer.from("x"));
    await api.driver.putContent(
      `${PATHS.tag(REPOSITORY, parseTag("x"))}.${"y".repeat(130)}/current/link`,
      Buffer.from("x"),
    );
    assert.deepEqual(await list(api, ""), ["a"]);
  });

  test("are each given exactly once and in order, whatever the size of the pages", async () => {
    const tags = fc.uniqueArray(fc.stringMatching(/^[A-Ca-c0_][A-Ca-c0_.-]{0,3}$/), { minLength: 1, maxLength: 15 });
    await fc.assert(
      fc.asyncProperty(tags, fc.integer({ min: 1, max: 6 }), async (names, size) => {
        await using api = await openWith(names);
        const found: string[] = [];
        for (let path: string | undefined = `/v2/a/b/tags/list?n=${size}`; path !== undefined; ) {
          const answer = await api.send("GET", path);
          const page = (json(answer) as { tags: string[] }).tags;
          assert.ok(page.length > 0 && page.length <= size);
          found.push(...page);
          path = /^<(.*)>; rel="next"$/.exec(answer.headers.link?.toString() ?? "")?.[1];
        }
        assert.deepEqual(found, names.toSorted(compareBytes));
      }),
      { numRuns: 25 },
    );
  });

  async function openWith(tags: readonly string[], options = {}): Promise<Api> {
    const api = await open(options);
    const link = Buffer.from(digestOf(Buffer.from("manifest")));
    for (const tag of tags) {
      await api.driver.putContent(PATHS.tagCurrent(REPOSITORY, parseTag(tag)), link, { durable: false });
    }
    return api;
  }
});

async function list(api: Api, query: string): Promise<readonly string[]> {
  const { tags } = json(await api.send("GET", `/v2/a/b/tags/list${query}`)) as { tags: readonly string[] };
  return tags;
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
