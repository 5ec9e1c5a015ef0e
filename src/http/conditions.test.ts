import assert from "node:assert/strict";
import { test } from "node:test";
import { isSameRange, listsDigest, toEntityTag } from "./conditions.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;
const TAG = toEntityTag(DIGEST);

test("a list of entity tags holds a digest quoted, bare, weak, or as a star", () => {
  for (const header of [TAG, DIGEST, `W/${TAG}`, "*", `"x",${TAG}`, `"x" , W/${TAG} `, ["x", TAG]]) {
    assert.ok(listsDigest(header, DIGEST), String(header));
  }
});

test("it does not hold one that is cut, longer, or another's", () => {
  for (const header of [undefined, "", '"', `${TAG.slice(0, -1)}`, `"${DIGEST}x"`, `"x${DIGEST}"`, '"*"', `w/${TAG}`]) {
    assert.ok(!listsDigest(header, DIGEST), String(header));
  }
});

test("a range goes on only from the same strong tag", () => {
  assert.ok(isSameRange(undefined, DIGEST));
  assert.ok(isSameRange(TAG, DIGEST));
  for (const header of [`W/${TAG}`, DIGEST, "*", "", "Sat, 21 Nov 2026 00:00:00 GMT"]) {
    assert.ok(!isSameRange(header, DIGEST), header);
  }
});
