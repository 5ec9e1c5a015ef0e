import assert from "node:assert/strict";
import { test } from "node:test";
import { withRoom } from "./growing-buffer.ts";

test("a buffer with room is that one", () => {
  const buffer = Buffer.alloc(100);
  assert.equal(withRoom(buffer, 10, 100, 1000), buffer);
});

test("one without becomes larger by more than is needed, with what was used of it, and never larger than may be", () => {
  assert.equal(withRoom(undefined, 0, 5, 1000).length, 5);
  const grown = withRoom(Buffer.from("used but not this"), 4, 20, 1000);
  assert.equal(grown.length, 136);
  assert.equal(grown.toString("latin1", 0, 4), "used");
  assert.equal(withRoom(Buffer.alloc(200), 200, 201, 1000).length, 1000);
});
