import assert from "node:assert/strict";
import { test } from "node:test";
import { PageSizeInvalid } from "../oci/errors.ts";
import { nextLink, parsePageSize, takePage } from "./paging.ts";
import { parseTarget } from "./target.ts";

test("a page asks for one entry more than it has, and then for none", async () => {
  for (const [size, entries, more, asked] of [
    [0, [], false, 0],
    [1, [1], true, 2],
    [2, [1, 2], true, 3],
    [3, [1, 2, 3], false, 3],
    [4, [1, 2, 3], false, 3],
  ] as const) {
    let given = 0;
    async function* count(): AsyncGenerator<number, void, void> {
      for (const entry of [1, 2, 3]) {
        given += 1;
        yield entry;
      }
    }
    assert.deepEqual(await takePage(count(), size), { entries, more });
    assert.equal(given, asked);
  }
});

test("a page's size is a decimal number, of any length", () => {
  const size = (n: string): number | undefined => parsePageSize(parseTarget(`/v2/_catalog?${n}`, "/"));
  assert.equal(size(""), undefined);
  assert.equal(size("n="), undefined);
  assert.equal(size("n=007"), 7);
  assert.equal(size(`n=${"9".repeat(400)}`), Number.MAX_SAFE_INTEGER);
  for (const n of ["n=-0", "n=+1", "n=1_000", "n=1,2", "n=Infinity"]) assert.throws(() => size(n), PageSizeInvalid, n);
});

test("a link keeps the path as it came and no parameter but those given", () => {
  const target = parseTarget("/pre/v2/%61/tags/list?n=1&last=x&evil=%3E", "/pre/");
  assert.equal(nextLink(target, { last: "a/b", n: "2" }), '</pre/v2/%61/tags/list?last=a%2Fb&n=2>; rel="next"');
});
