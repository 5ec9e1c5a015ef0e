import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseRange, toContentRange } from "./ranges.ts";

test("answers any list of ranges with the bytes that a walk over them finds", () => {
  fc.assert(
    fc.property(fc.array(anySpec(), { maxLength: 6 }), fc.integer({ min: 0, max: 12 }), (specs, size) => {
      const answer = parseRange(`bytes=${specs.join(",")}`, size);
      assert.deepEqual(answer.kind === "ranges" ? answer.ranges.map(offsetsOf) : answer.kind, walk(specs, size));
    }),
    { numRuns: 5000 },
  );
});

test("answers any text with parts that lie within the blob and are no longer than it together", () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 0, max: 2 ** 40 }), (text, size) => {
      for (const header of [text, `bytes=${text}`, `bytes=0-0,${text}`]) {
        const answer = parseRange(header, size);
        if (answer.kind !== "ranges") continue;
        for (const { start, length } of answer.ranges) assert.ok(start >= 0 && length > 0 && start + length <= size);
        assert.ok(answer.ranges.reduce((sum, { length }) => sum + length, 0) <= size);
      }
    }),
  );
});

test("takes sixteen ranges and sends the whole for more", () => {
  const list = (count: number): string => `bytes=${Array.from({ length: count }, (_, i) => `${i}-${i}`).join(",")}`;
  const sixteen = parseRange(list(16), 100);
  assert.equal(sixteen.kind === "ranges" && sixteen.ranges.length, 16);
  assert.deepEqual(parseRange(list(17), 100), { kind: "whole" });
});

test("without a header the answer is the whole", () => {
  assert.deepEqual(parseRange(undefined, 5), { kind: "whole" });
});

test("prints a part as Content-Range has it, its end included", () => {
  assert.equal(toContentRange({ start: 3, length: 2 }, 10), "bytes 3-4/10");
});

function anySpec(): fc.Arbitrary<string> {
  const number = fc.integer({ min: 0, max: 14 }).map(String);
  const spec = fc.tuple(fc.option(number, { nil: "" }), fc.option(number, { nil: "" })).map((ends) => ends.join("-"));
  return fc.oneof(
    { weight: 9, arbitrary: spec },
    { weight: 1, arbitrary: fc.constantFrom("x", "1", "1-2-3", " 0 - 1 ") },
  );
}

/** Offsets of each range as RFC 9110 describes them, byte by byte. */
function walk(specs: readonly string[], size: number): readonly (readonly number[])[] | "whole" | "unsatisfiable" {
  if (size === 0) return "whole";
  const found: number[][] = [];
  for (const spec of specs) {
    const [, first, last] = /^ ?(\d*) ?- ?(\d*) ?$/.exec(spec) ?? [];
    if (first === undefined || (first === "" && last === "")) return "unsatisfiable";
    if (first !== "" && last !== "" && Number(last) < Number(first)) return "unsatisfiable";
    const all = Array.from({ length: size }, (_, offset) => offset);
    const wanted =
      first === "" ? all.filter((offset) => offset >= size - Number(last)) : all.filter(within(first, last));
    if (wanted.length > 0) found.push(wanted);
  }
  if (found.length === 0) return "unsatisfiable";
  return found.length > 1 && found.flat().length > size ? "whole" : found;
}

function within(first: string, last: string | undefined): (offset: number) => boolean {
  return (offset) => offset >= Number(first) && (last === "" || offset <= Number(last));
}

function offsetsOf({ start, length }: { readonly start: number; readonly length: number }): number[] {
  return Array.from({ length }, (_, i) => start + i);
}
