/**
 * The `Range` of a request for a blob.
 *
 * @see RFC 9110, section 14
 */
import type { ByteRange } from "../registry/registry.ts";

/** More ranges than this are not worth their headers: the whole blob is sent. */
const MOST_RANGES = 16;

export type RangeAnswer =
  | { readonly kind: "whole" }
  | { readonly kind: "ranges"; readonly ranges: readonly [ByteRange, ...ByteRange[]] }
  | { readonly kind: "unsatisfiable"; readonly reason: string };

const WHOLE: RangeAnswer = { kind: "whole" };

/** @param size bytes of the blob */
export function parseRange(header: string | undefined, size: number): RangeAnswer {
  const list = header === undefined ? undefined : /^\s*bytes\s*=(.*)$/i.exec(header)?.[1];
  if (list === undefined || size === 0) return WHOLE;
  const specs = list
    .split(",")
    .map((spec) => spec.trim())
    .filter((spec) => spec !== "");
  if (specs.length > MOST_RANGES) return WHOLE;
  const ranges: ByteRange[] = [];
  for (const spec of specs) {
    const range = parseSpec(spec, size);
    if (range === "invalid") return { kind: "unsatisfiable", reason: "invalid range" };
    if (range !== "outside") ranges.push(range);
  }
  const [first, ...rest] = ranges;
  if (first === undefined) {
    return { kind: "unsatisfiable", reason: specs.length === 0 ? "invalid range" : "invalid range: failed to overlap" };
  }
  const total = ranges.reduce((sum, range) => sum + range.length, 0);
  return rest.length > 0 && total > size ? WHOLE : { kind: "ranges", ranges: [first, ...rest] };
}

/** One of `first-last`, `first-` and `-suffix`. */
function parseSpec(spec: string, size: number): ByteRange | "invalid" | "outside" {
  const [, first, last] = /^(\d*)\s*-\s*(\d*)$/.exec(spec) ?? [];
  if (first === undefined || last === undefined || (first === "" && last === "")) return "invalid";
  if (first === "") {
    const length = Math.min(Number(last), size);
    return length === 0 ? "outside" : { start: size - length, length };
  }
  const start = Number(first);
  const end = last === "" ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== "" && Number(last) < start) return "invalid";
  return start >= size ? "outside" : { start, length: end - start + 1 };
}

/** `Content-Range` of one part. */
export function toContentRange({ start, length }: ByteRange, size: number): string {
  return `bytes ${start}-${start + length - 1}/${size}`;
}
