import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { test } from "node:test";
import { promisify } from "node:util";
import { readCoverage } from "./coverage.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

const SOURCE = `import { argv } from "node:process";

interface Shape {
  readonly side: number;
}

// a comment
export function area(shape: Shape): number {
  if (shape.side < 0) {
    return 0;
  }
  return shape.side ** 2;
}

export class Never {
  method(): string {
    return "never";
  }
}

console.log(area({ side: Number(argv[2]) }));
`;

/** Runs the source once for each argument; answers its coverage. */
async function coverageOfRuns(...args: readonly string[]) {
  await using folder = await temporaryFolder("coverage");
  const script = folder.join("shape.mts");
  const sources = {
    "shape.mts": SOURCE,
    "unloaded.mts": "export const a: number = 1;\n",
    "types.mts": "export type A = 1;",
  };
  await writeFile(script, SOURCE);
  const env = { ...process.env, NODE_V8_COVERAGE: folder.join("out") };
  for (const arg of args) await promisify(execFile)(process.execPath, [script, arg], { env });
  return await readCoverage(folder.join("out"), folder.path, sources);
}

test("a line that no process ran is missed, a line of types or imports does not count", async () => {
  const [shape] = await coverageOfRuns("3");
  assert.deepEqual(shape, { path: "shape.mts", lines: 8, missed: [10, 16, 17] });
});

test("a line that one of several processes ran is covered", async () => {
  const [shape] = await coverageOfRuns("3", "-1");
  assert.deepEqual(shape?.missed, [16, 17]);
});

test("a file that nobody loaded is missed whole, a file of types has no lines", async () => {
  const [, unloaded, types] = await coverageOfRuns("3");
  assert.deepEqual(unloaded, { path: "unloaded.mts", lines: 1, missed: [1] });
  assert.deepEqual(types, { path: "types.mts", lines: 0, missed: [] });
});
