import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";

const ROOT = join(import.meta.dirname, "../..");
const TEXT = readFileSync(join(ROOT, "SECURITY.md"), "utf8");

/** Class, file and name of each row. */
const ROWS: readonly (readonly [what: string, file: string, name: string])[] = [
  ...TEXT.matchAll(/^\| (.+) \| `([\w/.-]+\.test\.ts)`: (.+) \|$/gm),
].map(([, what = "", file = "", name = ""]) => [what, file, name]);

/** Advisories that have to have a test of their name. */
const NAMED = [
  ...["CVE-2017-11468", "CVE-2021-41190", "CVE-2023-2253", "CVE-2025-24976", "CVE-2026-35172", "CVE-2026-41888"],
  ...["CVE-2024-39897", "CVE-2025-23208", "GHSA-c37v-3c8w-crq8", "CVE-2026-31801", "GHSA-qg67-7m6v-qg25"],
  ...["CVE-2020-29662", "CVE-2020-13794", "CVE-2026-4404", "CVE-2019-19025", "GHSA-f9vc-vf3r-pqqq"],
  ...["CVE-2023-44487", "CVE-2024-27316"],
];

describe("SECURITY.md", () => {
  test("names tests that exist, with their names", () => {
    assert.ok(ROWS.length > 50, `${ROWS.length} rows`);
    for (const [what, file, name] of ROWS) {
      assert.ok(existsSync(join(ROOT, file)), `${what}: there is no ${file}`);
      const text = readFileSync(join(ROOT, file), "utf8");
      const isThere = ['"', "`"].some((quote) => text.includes(`(${quote}${name}${quote}`));
      assert.ok(isThere, `${what}: ${file} has no test "${name}"`);
    }
  });

  test("has every row in the form of a row, and every advisory of what exists in a test's name", () => {
    const [, table = ""] = TEXT.split("|---|---|\n").slice(-2);
    assert.equal(table.trimEnd().split("\n").length, ROWS.length);
    const names = ROWS.map(([, , name]) => name).join("\n");
    for (const advisory of NAMED) assert.ok(names.includes(advisory), advisory);
  });

  test("is short enough to be read", () => assert.ok(TEXT.split("\n").length <= 150));
});
