import assert from "node:assert/strict";
import { test } from "node:test";
import { coverageTable } from "./coverage-table.ts";

test("the table lists the files below the threshold with what they miss, and the total", () => {
  const table = coverageTable(
    [
      { path: "src/good.ts", lines: 90, missed: [4] },
      { path: "src/bad.ts", lines: 10, missed: [3, 7, 8, 9] },
      { path: "src/types.ts", lines: 0, missed: [] },
    ],
    90,
  );
  assert.deepEqual(table, {
    percent: 95,
    lines: [" 60.00 %  src/bad.ts: 3, 7-9", "coverage: 95.00 % of 100 lines in 3 files of src/"],
  });
});

test("a total below the threshold says so, and is never rounded up to it", () => {
  const missed = Array.from({ length: 1001 }, (_, line) => line * 2);
  const { percent, lines } = coverageTable([{ path: "src/a.ts", lines: 10_000, missed }], 90);
  assert.equal(percent, 89.99);
  assert.equal(lines.at(-1), "coverage: 89.99 % of 10000 lines in 1 files of src/, less than 90 %");
});
