import assert from "node:assert/strict";
import { test } from "node:test";
import { RecentDeletions } from "./recent-deletions.ts";

test("what a worker announced last is told once when it leaves, and of others nothing", () => {
  const recent = new RecentDeletions(2);
  const [one, other] = [{}, {}];
  const deletion = (digest: string) => ({ kind: "blob", repository: "a", digest }) as const;
  for (const digest of ["d1", "d2", "d3", "d3"]) recent.note(one, deletion(digest));
  recent.note(other, deletion("d4"));
  assert.deepEqual(
    recent.leave(one).map(({ digest }) => digest),
    ["d3", "d2"],
  );
  assert.deepEqual(recent.leave(one), []);
});
