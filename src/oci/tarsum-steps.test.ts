import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { longEntry, paxEntry, type TarPart, tarEntry, tarHeader, tarOf } from "../../test/support/tar.ts";
import { atOnce, countSteps } from "../../test/support/tarsum-at-once.ts";
import { TarsumHash } from "./tarsum-hash.ts";
import { each, paced, runsOf, type Steps, sorted } from "./tarsum-steps.ts";

const MiB = 2 ** 20;

describe("work in steps", () => {
  it("is done once for every number, and none of it before its step", () => {
    const seen: number[] = [];
    const steps = each(2500, (at) => seen.push(at));
    for (const end of [0, 1024, 2048, 2500]) {
      assert.equal(seen.length, end);
      assert.equal(steps.next().done, end === 2500);
    }
    assert.deepEqual(seen, [...Array(2500).keys()]);
  });

  it("is the same in fewer of them", () => {
    function* count(): Steps<string> {
      for (let i = 0; i < 640; i++) yield;
      return "done";
    }
    assert.deepEqual(countSteps(count()), { value: "done", pauses: 640 });
    assert.deepEqual(countSteps(paced(count())), { value: "done", pauses: 20 });
  });

  it("finds the runs of two and more", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(2), { maxLength: 30 }), (values) => {
        const runs = atOnce(runsOf(values.length, (at) => values[at] === values[at - 1]));
        const found = runs.map(({ start, end }) => values.slice(start, end).join(""));
        assert.deepEqual(found, values.join("").match(/(.)\1+/g) ?? []);
      }),
    );
  });

  for (const count of [0, 1, 1023, 1024, 1025, 2048, 3000, 4097, 10_000]) {
    it(`sorts ${count} numbers`, () => {
      for (const most of [3, 2 ** 30]) {
        const values = Float64Array.from({ length: count }, (_, i) => (i * 7919 * 104_729) % most);
        const expected = values.toSorted();
        assert.deepEqual(atOnce(sorted(values)), expected);
      }
    });
  }
});

describe("a tarsum", () => {
  const bytesOf = (...parts: readonly (readonly TarPart[])[]): Buffer => tarOf(parts, Buffer.alloc(0));
  const file = tarEntry({ name: "a" });
  const map = Array.from({ length: 60_000 }, (_, i) => `${i},0`).join(",");
  const sparse = (size: number, count: number, list: string): Buffer =>
    bytesOf(
      paxEntry([
        "GNU.sparse.name=a",
        `GNU.sparse.size=${size}`,
        `GNU.sparse.numblocks=${count}`,
        `GNU.sparse.map=${list}`,
      ]),
      file,
    );
  const records = Buffer.from("5 a=\n".repeat(MiB / 5));
  const lines = "60000\n".concat("0\n".repeat(120_000)).padEnd(469 * 512, "\0");
  const paxMap = paxEntry(["GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.realsize=0"]);

  /** Pauses at the least: that often others go on while one chunk is looked at. */
  const chunks: readonly (readonly [what: string, chunk: Buffer, least: number])[] = [
    ["headers and nothing else", Buffer.concat(Array(2048).fill(bytesOf(file))), 2048 / 32],
    ["one large file", bytesOf(tarHeader({ name: "a", size: 64 * MiB }), tarEntryContent(64 * MiB)), 64 / 2],
    ["a long hole", sparse(64 * MiB, 1, "0,0"), 64 / 2],
    ["many holes", sparse(60_000, 60_000, map), 60_000 / 32],
    ["a list of nothing", sparse(0, 60_000, "0,0,".repeat(60_000).slice(0, -1)), 900 / 32],
    ["a header of many records", bytesOf(tarEntry({ name: "x", typeflag: "x" }, records), file), 1600 / 32],
    ["a map in the content", bytesOf(paxMap, tarEntry({ name: "a" }, lines)), 469 / 32 - 1],
    ["zeros behind the end", Buffer.alloc(64 * MiB), 64 / 2],
    ["a long name for each", Buffer.concat(Array(64).fill(bytesOf(longEntry("L", "n"), file))), 64 / 16],
  ];
  for (const [what, chunk, least] of chunks) {
    it(`stops again and again in ${what}`, () => {
      const { pauses } = countSteps(new TarsumHash({ version: "v1", algorithm: "sha256" }).update(chunk));
      assert.ok(pauses >= least, `${pauses} pauses, not ${least}`);
    });
  }

  const names: readonly (readonly [what: string, nameOf: (i: number) => string])[] = [
    ["many entries", (i) => `${i}`],
    ["one entry that comes again and again", () => "a"],
    ["pairs of entries", (i) => `${i >> 1}`],
  ];
  for (const [what, nameOf] of names) {
    it(`stops again and again while it puts in order ${what}`, () => {
      const hash = new TarsumHash({ version: "v1", algorithm: "sha256" });
      const count = 10_000;
      for (let i = 0; i < count; i++) atOnce(hash.update(bytesOf(tarEntry({ name: nameOf(i) }))));
      const { pauses } = countSteps(hash.digest());
      assert.ok(pauses > 0, `${pauses} pauses`);
    });
  }

  it("does nothing of what it is not asked for", () => {
    const hash = new TarsumHash({ version: "v1", algorithm: "sha256" });
    hash.update(bytesOf(file));
    hash.digest();
    const other = new TarsumHash({ version: "v1", algorithm: "sha256" });
    assert.equal(atOnce(hash.digest()), atOnce(other.digest()));
  });
});

function tarEntryContent(size: number): readonly TarPart[] {
  return [{ bytes: Buffer.alloc(size, 1), isCovered: true }];
}
