import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RangeInvalid, SizeInvalid } from "../oci/errors.ts";
import { checkChunk } from "./chunk.ts";

const small = fc.integer({ min: 0, max: 6 });

test("a chunk passes exactly when it starts at the upload's end and is as long as it says", async () => {
  const headers = fc.record({ first: small, last: small, announced: fc.option(small, { nil: undefined }) });
  await fc.assert(
    fc.asyncProperty(headers, small, fc.array(fc.uint8Array({ maxLength: 3 })), async (range, size, chunks) => {
      const { first, last, announced } = range;
      const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
      const expected = outcome(first, last, announced, size, length);
      const all = {
        "content-range": `${first}-${last}`,
        ...(announced !== undefined && { "content-length": `${announced}` }),
      };
      assert.equal(await run(all, size, chunks), expected);
    }),
    { numRuns: 2000 },
  );
});

test("without a Content-Range any chunk passes", async () => {
  assert.equal(await run({}, 5, [Buffer.from("abc")]), "passed");
});

test("no byte past the range is handed on", async () => {
  const limit = checkChunk({ "content-range": "0-2" }, 0);
  const seen: Uint8Array[] = [];
  await assert.rejects(async () => {
    for await (const part of limit(streamOf([Buffer.from("ab"), Buffer.from("cd")]))) seen.push(part);
  }, SizeInvalid);
  assert.equal(Buffer.concat(seen).toString(), "ab");
});

type Outcome = "passed" | "RangeInvalid" | "SizeInvalid";

function outcome(first: number, last: number, announced: number | undefined, size: number, length: number): Outcome {
  if (first !== size || last < first) return "RangeInvalid";
  const wanted = last - first + 1;
  return (announced === undefined || announced === wanted) && length === wanted ? "passed" : "SizeInvalid";
}

async function run(headers: Record<string, string>, size: number, chunks: readonly Uint8Array[]): Promise<Outcome> {
  try {
    const check = checkChunk(headers, size);
    let length = 0;
    for await (const chunk of check(streamOf(chunks))) length += chunk.length;
    assert.equal(
      length,
      chunks.reduce((sum, chunk) => sum + chunk.length, 0),
    );
    return "passed";
  } catch (error) {
    if (error instanceof RangeInvalid || error instanceof SizeInvalid) return error.name;
    throw error;
  }
}

async function* streamOf(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void, void> {
  yield* chunks;
}
