import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isKnownListing, knownListing } from "./known-listing.ts";

test("what is known begins after the bound, which need not be in it, and can be gone through", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.string()), fc.option(fc.string(), { nil: undefined }), async (texts, after) => {
      const all = texts.toSorted();
      const listing = knownListing(all, after);
      const expected = all.filter((text) => after === undefined || text > after);
      assert.deepEqual(listing.known, expected);
      assert.deepEqual(await Array.fromAsync(listing), expected);
      assert.ok(isKnownListing(listing));
    }),
  );
});

test("what has to be waited for is not known", () => {
  assert.ok(!isKnownListing((async function* () {})()));
});
